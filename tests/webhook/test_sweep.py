"""The sweep's own place: what lies is sent by threads of its own, each conversation once."""

from __future__ import annotations

import threading

import pytest

from tests.services.process import wait_until
from webhook import recovery, sweep
from webhook.sweep import MOST_IN_HAND, SENDING_THREADS, Overdue


class SlowWeChat:
    """Every delivery takes until the test says otherwise."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.may_end = threading.Event()

    def deliver(self, conversation_id: int) -> None:
        self.began.append(conversation_id)
        self.may_end.wait()


@pytest.fixture
def wechat() -> SlowWeChat:
    return SlowWeChat()


def test_a_conversation_is_in_hand_once_however_often_it_is_found(wechat: SlowWeChat) -> None:
    overdue = Overdue(wechat.deliver)
    for _ in range(3):
        overdue.take(7)
    wait_until(lambda: wechat.began)
    wechat.may_end.set()
    wait_until(lambda: overdue.room == MOST_IN_HAND)
    assert wechat.began == [7]

    overdue.take(7)
    wait_until(lambda: wechat.began == [7, 7], what="it may be found again later")


def test_what_was_found_first_is_sent_first(wechat: SlowWeChat) -> None:
    overdue = Overdue(wechat.deliver)
    for conversation_id in range(SENDING_THREADS + 3):
        overdue.take(conversation_id)
    wait_until(lambda: len(wechat.began) == SENDING_THREADS)
    assert set(wechat.began) == set(range(SENDING_THREADS))
    wechat.may_end.set()
    wait_until(lambda: len(wechat.began) == SENDING_THREADS + 3)


def test_while_wechat_is_slow_the_sweep_goes_on_and_takes_no_more_than_it_can_hold(
    wechat: SlowWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[int] = []

    def pick_up(queue_replies: object, deliver: object, *, most_deliveries: int) -> None:
        asked_for.append(most_deliveries)
        for conversation_id in range(most_deliveries):
            overdue.take(conversation_id)

    monkeypatch.setattr(recovery, "pick_up_forgotten", pick_up)
    monkeypatch.setattr(sweep, "SWEEP_SECONDS", 0)
    overdue = Overdue(wechat.deliver)

    sweep.sweep_and_rest(overdue)
    sweep.sweep_and_rest(overdue)
    assert asked_for == [MOST_IN_HAND, 0]

    wechat.may_end.set()
    wait_until(lambda: overdue.room == MOST_IN_HAND)
    sweep.sweep_and_rest(overdue)
    assert asked_for[-1] == MOST_IN_HAND


def test_one_that_fails_gives_its_place_back(caplog: pytest.LogCaptureFixture) -> None:
    def fail(conversation_id: int) -> None:
        raise RuntimeError("a defect")

    overdue = Overdue(fail)
    overdue.take(7)
    wait_until(lambda: overdue.room == MOST_IN_HAND)
    assert "conversation 7 could not be delivered" in caplog.text
