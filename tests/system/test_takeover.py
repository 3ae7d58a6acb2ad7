"""A person takes over: from that moment the bot says nothing, whatever it had begun."""

from __future__ import annotations

import pytest

from tests.system.shop import FAQ_ANSWER, MODEL_ANSWER, QUESTION, Kind, Phone, Shop

pytestmark = pytest.mark.system

both_kinds = pytest.mark.parametrize("kind", ["verified", "unverified"])
# A ticket as a colleague opens it by hand for this customer, and takes it.
TAKE_OVER = """
from conversations.models import Conversation
from tickets import services
from tickets.models import Agent, Reason, Ticket
conversation = Conversation.objects.get(customer__openid={openid!r})
ticket = Ticket.objects.create(
    number="by-hand", reason=Reason.CUSTOMER_ASKED, customer=conversation.customer,
    conversation=conversation, open_for=conversation)
services.take(ticket, Agent.objects.get())
"""


def take_over(phone: Phone) -> None:
    phone.shop.shell(TAKE_OVER.format(openid=phone.openid))


@both_kinds
def test_the_bot_says_nothing_when_a_person_takes_over_while_the_model_thinks(
    shop: Shop, kind: Kind
) -> None:
    shop.model.behave(otherwise="when told")
    phone = shop.phone(kind, "oTakenOver")
    phone.deliver(phone.side.text(phone.openid, "给我讲讲你们的历史"), cut=1)
    shop.wait_until(lambda: shop.model.calls == 1, what="the model thinks")

    take_over(phone)
    shop.model.manner.may_speak.set()
    shop.wait_until(
        lambda: phone.message.state == "handed_over", what="the message is on the ticket"
    )

    assert phone.questions_on_tickets == ["给我讲讲你们的历史"]
    assert [reply.text for reply in phone.replies if reply.author == "bot"] == []
    phone.say(QUESTION)
    assert phone.questions_on_tickets == ["给我讲讲你们的历史", QUESTION]
    assert MODEL_ANSWER not in phone.read
    assert FAQ_ANSWER not in phone.read


def test_a_part_that_could_not_be_sent_yet_is_withdrawn(shop: Shop) -> None:
    shop.wechat.stop()
    try:
        shop.model.behave(otherwise="when told")
        phone = shop.phone("verified", "oReady")
        assert phone.say("给我讲讲你们的历史").acknowledged
        shop.model.manner.may_speak.set()
        shop.wait_until(
            lambda: [(r.state, r.tries) for r in phone.replies] == [("ready", 1)],
            what="a try failed",
        )

        take_over(phone)
    finally:
        shop.wechat.start()

    assert phone.reply.state == "withdrawn"
    assert phone.message.state == "handed_over"
    assert phone.questions_on_tickets == ["给我讲讲你们的历史"]
    shop.shell(
        "from tickets.models import *; from tickets import services;"
        "services.reply(Ticket.objects.get(), Agent.objects.get(), '我是李明，请讲。')"
    )
    phone.wait_to_read("我是李明，请讲。")
    assert phone.read == ["我是李明，请讲。"]


@both_kinds
def test_parts_that_wait_for_the_customer_are_withdrawn(shop: Shop, kind: Kind) -> None:
    shop.model.manner.answer = "。".join(f"第{number}句{'很' * 250}" for number in range(12))
    phone = shop.phone(kind, "oWaiting")
    phone.say("给我讲讲你们的历史")
    shop.wait_until(
        lambda: phone.replies and {reply.state for reply in phone.replies} == {"sent", "waiting"},
        20,
        "the rest waits for the customer",
    )
    read = phone.read

    take_over(phone)
    phone.say("继续讲")

    assert {reply.state for reply in phone.replies if reply.author == "bot"} == {
        "sent",
        "withdrawn",
    }
    assert phone.questions_on_tickets == ["给我讲讲你们的历史", "继续讲"]
    assert [text for text in phone.read if text not in read and "第" in text] == []
