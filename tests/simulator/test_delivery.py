"""A push over real HTTP to a server that is not ours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from simulator import pushes
from simulator.delivery import deliver
from simulator.models import Bubble, Exchange, Follower, Mode, Outcome, SimulatedAccount
from simulator.phone import FAILURE_NOTICE
from simulator.pushes import Push
from tests.simulator.fake_callback import FakeCallback, body, never, text

Patience = Callable[[float], None]

pytestmark = pytest.mark.django_db(transaction=True)


def push_from(follower: Follower, words: str = "怎么退货") -> Push:
    return Push(
        follower_id=follower.pk,
        openid=follower.openid,
        kind="text",
        fields=pushes.text(words),
        summary=words,
    )


def shown_on_phone() -> list[str]:
    return list(Bubble.objects.exclude(side="customer").values_list("text", flat=True))


def outcomes() -> list[tuple[int | None, str]]:
    return [(row.delivery, row.outcome) for row in Exchange.objects.order_by("delivery")]


def test_it_shows_the_reply_on_the_phone(callback: FakeCallback, follower: Follower) -> None:
    callback.answers = [text("七天内可以退货。")]
    deliver(push_from(follower))
    assert shown_on_phone() == ["七天内可以退货。"]
    assert [received.message.content for received in callback.received] == ["怎么退货"]


def test_it_keeps_both_sides_of_the_encryption(callback: FakeCallback, follower: Follower) -> None:
    callback.answers = [text("好的。")]
    deliver(push_from(follower))
    row = Exchange.objects.get()
    assert (row.delivery, row.mode, row.status, row.outcome) == (1, Mode.SAFE, 200, Outcome.REPLIED)
    assert "怎么退货" in row.request_clear
    assert "怎么退货" not in row.request_wire
    assert "好的。" in row.response_clear
    assert "好的。" not in row.response_wire
    assert "msg_signature=" in row.url


@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.COMPATIBLE])
def test_it_speaks_the_other_modes(
    callback: FakeCallback, follower: Follower, account: SimulatedAccount, mode: str
) -> None:
    SimulatedAccount.objects.update(mode=mode)
    callback.answers = [text("好的。")]
    deliver(push_from(follower))
    assert shown_on_phone() == ["好的。"]


def test_it_repeats_the_same_message_three_times_and_then_shows_the_failure_notice(
    callback: FakeCallback, follower: Follower, patience: Patience
) -> None:
    patience(0.3)
    callback.answers = [never]
    deliver(push_from(follower))
    assert outcomes() == [(1, Outcome.TIMED_OUT), (2, Outcome.TIMED_OUT), (3, Outcome.TIMED_OUT)]
    assert len({received.message.id for received in callback.received}) == 1
    assert shown_on_phone() == [FAILURE_NOTICE]


def test_it_cuts_an_answer_that_trickles(follower: Follower, patience: Patience) -> None:
    """The first byte in time is not an answer in time."""
    patience(0.3)
    listener = socket.create_server(("127.0.0.1", 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulator.delivery.DELIVERIES", 1)
        patch.setattr("django.conf.settings.PORT", listener.getsockname()[1])
        deliver_to_a_trickle(listener, push_from(follower))
    assert outcomes() == [(1, Outcome.TIMED_OUT)]


def deliver_to_a_trickle(listener: socket.socket, push: Push) -> None:
    def trickle() -> None:
        connection, _ = listener.accept()
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        stopped = threading.Event()
        for _ in range(40):
            try:
                connection.sendall(b"x")
            except OSError:
                break
            stopped.wait(0.05)
        connection.close()

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    deliver(push)
    thread.join()
    listener.close()


def test_it_takes_the_answer_of_the_second_delivery(
    callback: FakeCallback, follower: Follower, patience: Patience
) -> None:
    patience(2)
    callback.answers = [never, text("来得及")]
    deliver(push_from(follower))
    assert outcomes() == [(1, Outcome.TIMED_OUT), (2, Outcome.REPLIED)]
    assert shown_on_phone() == ["来得及"]


def test_it_does_not_repeat_after_success(callback: FakeCallback, follower: Follower) -> None:
    deliver(push_from(follower))
    assert outcomes() == [(1, Outcome.SUCCESS)]
    assert shown_on_phone() == []


def test_it_does_not_repeat_what_it_cannot_read(callback: FakeCallback, follower: Follower) -> None:
    callback.answers = [body(b"<html>")]
    deliver(push_from(follower))
    assert outcomes() == [(1, Outcome.UNREADABLE)]
    assert shown_on_phone() == [FAILURE_NOTICE]


def test_it_names_the_status_of_a_refusal(callback: FakeCallback, follower: Follower) -> None:
    callback.answers = [body(b"", status=429)]
    deliver(push_from(follower))
    assert Exchange.objects.get().status == 429
    assert shown_on_phone() == [FAILURE_NOTICE]


def test_it_tries_three_times_when_nobody_listens(
    follower: Follower, settings: Any, patience: Patience
) -> None:
    patience(2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.PORT = listener.getsockname()[1]
    deliver(push_from(follower))
    assert outcomes() == [(number, Outcome.NOT_REACHED) for number in (1, 2, 3)]
    assert shown_on_phone() == [FAILURE_NOTICE]


def test_three_at_once_show_one_reply(
    callback: FakeCallback, follower: Follower, account: SimulatedAccount
) -> None:
    SimulatedAccount.objects.update(duplicate_delivery=True)
    callback.answers = [text("一次就够")]
    deliver(push_from(follower))
    assert len(callback.received) == 3
    assert len({received.message.id for received in callback.received}) == 1
    assert outcomes() == [(number, Outcome.REPLIED) for number in (1, 2, 3)]
    assert shown_on_phone() == ["一次就够"]


def test_a_lost_answer_is_asked_for_again(
    callback: FakeCallback, follower: Follower, account: SimulatedAccount, patience: Patience
) -> None:
    patience(2)
    SimulatedAccount.objects.update(lose_reply=True)
    callback.answers = [text("答案")]
    deliver(push_from(follower))
    assert outcomes() == [(1, Outcome.LOST), (2, Outcome.REPLIED)]
    assert shown_on_phone() == ["答案"]


def test_the_slow_network_uses_up_wechats_patience(
    callback: FakeCallback,
    follower: Follower,
    account: SimulatedAccount,
    patience: Patience,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patience(0.3)
    monkeypatch.setattr("simulator.delivery.SLOW_SECONDS", 0.2)
    SimulatedAccount.objects.update(slow_network=True)
    callback.answers = [text("在路上丢了")]
    deliver(push_from(follower))
    assert [outcome for _, outcome in outcomes()] == [Outcome.TIMED_OUT] * 3


def test_nobody_sees_the_failure_of_an_unfollow(callback: FakeCallback, follower: Follower) -> None:
    callback.answers = [body(b"<html>")]
    deliver(Push(follower_id=follower.pk, openid=follower.openid, kind="event.unsubscribe"))
    assert shown_on_phone() == []


def test_a_reply_to_a_phone_that_started_over_is_dropped(
    callback: FakeCallback, follower: Follower
) -> None:
    callback.answers = [text("给以前的人")]
    push = push_from(follower)
    Follower.objects.filter(pk=follower.pk).update(openid="oSomebodyNew")
    deliver(push)
    assert shown_on_phone() == []
