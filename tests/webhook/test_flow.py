"""What becomes of a message that the bot answers, by itself or with a model: branches of the
product's one function.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from assistant.pipeline import NeedsModel
from conversations import session
from conversations.models import (
    Author,
    Conversation,
    Message,
    MessageState,
    Owner,
    Reply,
)
from conversations.replies import say as saying
from conversations.replies.owner import change_owner
from conversations.session import Session
from conversations.turns.leases import LeaseLost
from knowledge.models import FAQ
from llm.errors import ModelsBusy, ModelsDown, NoModel
from tests.factories import held_turn, next_turn
from tests.faqs import HOURS, RETURNS
from tests.webhook.turns import (
    UNKNOWN,
    agent_takes_over,
    said,
    state_of,
    texts,
)
from tests.worlds.model_stub import ModelStub, Scripted
from tickets import presence
from tickets.models import Agent, Reason, Ticket
from webhook import flow

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("shop")
class TestTheBot:
    def test_it_answers_from_the_knowledge_base(self) -> None:
        turn = held_turn(text=RETURNS[0])
        flow.reply(turn, model=None)
        assert said() == [(Author.BOT, RETURNS[1])]
        assert Reply.objects.get().source == "faq"
        assert state_of(turn) == MessageState.ANSWERED

    def test_it_remembers_what_was_said(self) -> None:
        turn = held_turn(text=RETURNS[0])
        flow.reply(turn, model=None)
        assert session.load(turn.conversation, turn.customer.openid).context == RETURNS

    def test_it_answers_a_number_from_the_menu_that_it_offered(self) -> None:
        turn = held_turn(text="2")
        offered = tuple(FAQ.objects.order_by("pk").values_list("pk", flat=True))[:3]
        session.remember(
            turn.customer.openid,
            Session(),
            question="怎么办",
            answer="您是想问：…",
            offered=offered,
        )
        flow.reply(turn, model=None)
        assert texts() == [HOURS[1]]

    def test_it_says_hello_and_opens_no_ticket(self) -> None:
        flow.reply(held_turn(text="你好"), model=None)
        assert texts() == ["您好，请问有什么可以帮您？"]
        assert not Ticket.objects.exists()

    def test_it_hands_over_what_nobody_knows_and_no_model_can_say(self, agent: Agent) -> None:
        presence.agent_did_something(agent.pk)
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=None)
        ticket = Ticket.objects.get()
        assert ticket.reason == Reason.NOTHING_MATCHED
        assert list(ticket.messages.all()) == [turn.message]
        assert said() == [
            (
                Author.SYSTEM,
                f"这个问题我暂时没有准确答案，已为您转给人工客服（编号 {ticket.number}）。",
            )
        ]
        assert state_of(turn) == MessageState.HANDED_OVER
        assert Conversation.objects.get().owner == Owner.QUEUE

    def test_it_hands_over_when_it_is_asked_to(self) -> None:
        flow.reply(held_turn(text="转人工"), model=None)
        assert Ticket.objects.get().reason == Reason.CUSTOMER_ASKED

    def test_it_says_that_it_cannot_read_a_picture(self) -> None:
        turn = held_turn(kind="image")
        flow.reply(turn, model=None)
        assert said() == [(Author.SYSTEM, "暂时看不懂这类消息，请用文字描述您的问题。")]
        assert not Ticket.objects.exists()


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestTheModel:
    def test_only_the_worker_asks_it(self) -> None:
        turn = held_turn(text=UNKNOWN)
        with pytest.raises(NeedsModel):
            flow.reply(turn, model=None)
        assert not Reply.objects.exists()
        assert state_of(turn) == MessageState.ANSWERING

    def test_it_answers(self) -> None:
        model = ModelStub("我们暂时不支持比特币。")
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=model)
        assert said() == [(Author.BOT, "我们暂时不支持比特币。")]
        assert model.session_ids == [turn.conversation.session_id]

    def test_it_reads_what_was_said_before(self) -> None:
        model = ModelStub("我们暂时不支持比特币。", "只收人民币。")
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=model)
        flow.reply(next_turn(turn.conversation, "那收什么呢"), model=model)
        assert UNKNOWN in model.prompt
        assert "我们暂时不支持比特币。" in model.prompt

    def test_it_is_not_asked_for_what_the_knowledge_base_knows(self) -> None:
        model = ModelStub()
        flow.reply(held_turn(text=RETURNS[0]), model=model)
        assert model.asked == []

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ({"answer": "", "can_answer": False}, Reason.MODEL_UNSURE),
            (ModelsDown("all failed"), Reason.MODEL_DOWN),
            (ModelsBusy("all slots are taken"), Reason.MODEL_BUSY),
            (NoModel("none"), Reason.NOTHING_MATCHED),
        ],
    )
    def test_a_person_gets_what_it_cannot_answer(self, answer: Scripted, reason: Reason) -> None:
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=ModelStub(answer))
        assert Ticket.objects.get().reason == reason
        assert len(texts()) == 1
        assert state_of(turn) == MessageState.HANDED_OVER

    @pytest.mark.parametrize(
        "answer", ["迟到的回答", ModelsDown("all failed"), {"answer": "", "can_answer": False}]
    )
    def test_it_says_nothing_when_an_agent_took_over_while_it_thought(
        self, agent: Agent, answer: Scripted
    ) -> None:
        turn = held_turn(text=UNKNOWN)
        model = ModelStub(answer, meanwhile=lambda: agent_takes_over(turn, agent))
        flow.reply(turn, model=model)
        assert len(model.asked) == 1
        assert said() == []
        assert state_of(turn) == MessageState.HANDED_OVER
        assert list(Ticket.objects.get().messages.all()) == [turn.message]
        assert session.load(turn.conversation, turn.customer.openid).context == ()

    def test_its_answer_is_kept_while_the_database_is_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(flow, "KEEP_ANSWER_PAUSE", 0)
        model = ModelStub("我们暂时不支持比特币。")
        refusals = [OperationalError(2006, "gone away"), OperationalError(2002, "no connection")]

        def say_later(*arguments: Any, **values: Any) -> object:
            if refusals:
                raise refusals.pop()
            return saying.say(*arguments, **values)

        monkeypatch.setattr(flow, "say", say_later)
        flow.reply(held_turn(text=UNKNOWN), model=model)
        assert texts() == ["我们暂时不支持比特币。"]
        assert len(model.asked) == 1

    def test_it_gives_up_an_answer_that_cannot_be_written_for_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(flow, "KEEP_ANSWER_PAUSE", 0)
        monkeypatch.setattr(flow, "KEEP_ANSWER_SECONDS", 0)

        def never(*arguments: object, **values: object) -> None:
            raise OperationalError(2002, "no connection")

        monkeypatch.setattr(flow, "say", never)
        with pytest.raises(OperationalError):
            flow.reply(held_turn(text=UNKNOWN), model=ModelStub("我们暂时不支持比特币。"))

    def test_its_answer_is_dropped_when_the_lease_was_lost(self) -> None:
        turn = held_turn(text=UNKNOWN)
        model = ModelStub("迟到的回答", meanwhile=lambda: Message.objects.update(attempt=2))
        with pytest.raises(LeaseLost):
            flow.reply(turn, model=model)
        assert said() == []


def test_the_owner_may_change_from_queue_to_bot_while_the_model_thinks(
    shop: None, model_is_configured: None
) -> None:
    """Nobody serves the customer: the answer is not lost, the message is answered anew."""
    turn = held_turn(text=UNKNOWN)

    def comes_and_goes() -> None:
        model.meanwhile = None
        conversation = Conversation.objects.get(pk=turn.conversation.pk)
        change_owner(conversation, Owner.QUEUE)
        change_owner(conversation, Owner.BOT)

    model = ModelStub("第一个回答", "第二个回答", meanwhile=comes_and_goes)
    flow.reply(turn, model=model)
    assert len(texts()) == 1
    assert state_of(turn) == MessageState.ANSWERED
