"""One push, one answer: however often it is delivered, and whoever dies while it is answered."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

import pytest

from tests.at_once import at_once
from tests.system.shop import MODEL_ANSWER, Kind, Shop

pytestmark = pytest.mark.system

both_kinds = pytest.mark.parametrize("kind", ["verified", "unverified"])


@both_kinds
def test_it_answers_once_what_comes_three_times_at_once_on_two_processes(
    shop: Shop, kind: Kind
) -> None:
    shop.model.manner.seconds = 0.5
    phone = shop.phone(kind, "oThreeTimes")
    push = phone.side.text(phone.openid, "给我讲讲你们的历史")

    deliveries = at_once(*[lambda web=web: phone.deliver(push, web=web) for web in (0, 1, 0)])

    assert {phone.text_of(delivery) for delivery in deliveries} == {MODEL_ANSWER}
    assert phone.message.deliveries == 3
    assert phone.reply.channel == "passive"
    assert shop.model.calls == 1
    assert shop.wechat.sent == []


def _web_dies(shop: Shop, connection: socket.socket) -> None:
    shop.webs[0].kill()


def _connection_is_cut(shop: Shop, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@both_kinds
@pytest.mark.parametrize("fault", [_web_dies, _connection_is_cut])
def test_it_gives_the_same_reply_again_when_the_first_was_not_read(
    shop: Shop, kind: Kind, fault: Callable[[Shop, socket.socket], None]
) -> None:
    phone = shop.phone(kind, "oNotRead")
    push = phone.side.text(phone.openid, "给我讲讲你们的历史")
    connection = phone.send_unread(push)
    shop.wait_until(
        lambda: [message.ended_with for message in phone.messages] == ["text"],
        what="the reply is claimed",
    )

    fault(shop, connection)
    connection.close()
    again = phone.deliver(push, web=1)

    assert phone.text_of(again) == MODEL_ANSWER
    assert shop.model.calls == 1
    assert len(phone.replies) == 1
    assert shop.wechat.sent == []


@both_kinds
def test_it_answers_the_next_delivery_when_the_web_process_dies_while_the_model_thinks(
    shop: Shop, kind: Kind
) -> None:
    shop.model.behave(otherwise="when told")
    phone = shop.phone(kind, "oDiesEarly")
    push = phone.side.text(phone.openid, "给我讲讲你们的历史")
    connection = phone.send_unread(push)
    shop.wait_until(lambda: shop.model.calls, what="the model is asked")

    shop.webs[0].kill()
    connection.close()
    shop.model.manner.may_speak.set()
    again = phone.deliver(push, web=1)

    assert phone.text_of(again) == MODEL_ANSWER
    assert shop.model.calls == 1
    assert shop.wechat.sent == []


def test_it_sends_the_answer_by_the_api_when_nobody_comes_back_for_it(shop: Shop) -> None:
    shop.model.behave(otherwise="when told")
    phone = shop.phone("verified", "oGone")

    cut = phone.deliver(phone.side.text(phone.openid, "给我讲讲你们的历史"), cut=1)
    shop.model.manner.may_speak.set()

    assert cut.status is None
    phone.wait_to_read(MODEL_ANSWER)
    assert phone.read == [MODEL_ANSWER]
    assert phone.reply.channel == "api"


def test_it_gives_a_push_that_ended_with_success_success_again(shop: Shop) -> None:
    phone = shop.phone("verified", "oAcknowledged")
    shop.model.behave(otherwise="when told")
    push = phone.side.text(phone.openid, "给我讲讲你们的历史")

    first = phone.deliver(push)
    shop.model.manner.may_speak.set()
    phone.wait_to_read(MODEL_ANSWER)
    again = phone.deliver(push, web=1)

    assert (first.body, again.body) == (b"success", b"success")
    assert phone.read == [MODEL_ANSWER]
    assert shop.model.calls == 1


def test_it_says_in_a_link_that_the_answer_is_coming_and_brings_it_on_the_tap(shop: Shop) -> None:
    shop.model.behave(otherwise="when told")
    phone = shop.phone("unverified", "oSlowModel")
    last = phone.side.text(phone.openid, "给我讲讲你们的历史", created=int(time.time()) - 10)

    outcome = phone.push(last)
    assert outcome.text is not None
    assert "稍等" in outcome.text
    shop.model.manner.may_speak.set()
    shop.wait_until(lambda: phone.replies, what="the answer is written")

    assert phone.tap().text == MODEL_ANSWER
    assert phone.read.count(MODEL_ANSWER) == 1
    assert shop.model.calls == 1
