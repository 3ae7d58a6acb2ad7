"""What a worker does beside its tasks: leases renewed, a heart-beat for each queue it serves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from common.redis import redis
from conversations import claims
from conversations.models import Conversation
from tests.factories import held_turn
from tests.knowledge.builders import absent_redis
from webhook import worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_in_hand", {})


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

    monkeypatch.setattr(claims, "renew_all", away)
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


def test_leases_outlive_several_missed_beats() -> None:
    assert claims.LEASE.total_seconds() >= 3 * claims.RENEW_SECONDS
    assert worker.HEARTBEAT_SECONDS >= 3 * claims.RENEW_SECONDS
