"""What a worker does beside its tasks: leases renewed, a heart-beat for each queue it serves."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from common import background
from common.background import repeat_for_ever
from common.redis import redis
from conversations.models import Conversation
from conversations.turns import leases
from tests.factories import held_turn
from tests.knowledge.builders import absent_redis
from tests.services.process import wait_until
from webhook import worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_in_hand", {})


def test_a_beat_renews_the_leases_and_says_which_queues_are_served() -> None:
    held_turn()
    soon = timezone.now() + timedelta(seconds=1)
    Conversation.objects.update(lease_until=soon)
    worker.beat(("reply", "deliver"))
    assert Conversation.objects.get().lease_until > soon + timedelta(seconds=10)
    assert 0 < redis().ttl("heartbeat:reply") <= worker.HEARTBEAT_SECONDS
    assert redis().exists("heartbeat:deliver")
    assert not redis().exists("heartbeat:recovery")


def test_a_beat_without_the_database_is_still_a_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OperationalError(2002, "no connection")

    monkeypatch.setattr(leases, "renew_all", away)
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    worker.beat(("reply",))
    assert redis().exists("heartbeat:reply")


def test_a_beat_without_redis_still_renews(monkeypatch: pytest.MonkeyPatch) -> None:
    held_turn()
    soon = timezone.now() + timedelta(seconds=1)
    Conversation.objects.update(lease_until=soon)
    monkeypatch.setattr(worker, "redis", absent_redis)
    worker.beat(("reply",))
    assert Conversation.objects.get().lease_until > soon + timedelta(seconds=10)


def test_an_error_that_nobody_expected_does_not_end_the_beat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beats: list[int] = []

    def renew() -> int:
        beats.append(1)
        if len(beats) < 3:
            raise RuntimeError("a defect")
        threading.Event().wait()  # Enough: this thread sleeps for ever.
        return 0

    monkeypatch.setattr(leases, "renew_all", renew)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(background, "PAUSE_AFTER_ERROR", 0.01)
    repeat_for_ever("heart-beat", lambda: worker.beat_and_rest(("reply",)))
    wait_until(lambda: len(beats) == 3, what="it beats on")


def test_two_missed_beats_lose_neither_lease_nor_heart_beat() -> None:
    """A busy machine delays the thread; what it renewed last must still hold then."""
    held_turn()
    worker.beat(("reply",))
    two_beats_later = timedelta(seconds=3 * leases.RENEW_SECONDS - 1)

    assert Conversation.objects.get().lease_until > timezone.now() + two_beats_later
    assert redis().ttl("heartbeat:reply") > two_beats_later.total_seconds() - 1
