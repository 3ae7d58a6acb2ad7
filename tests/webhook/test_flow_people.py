"""What becomes of a message whose customer waits for a person, is served by one, or needs one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations import session
from conversations.models import (
    Conversation,
    Ending,
    Message,
    MessageState,
    Owner,
)
from conversations.turns.leases import MAX_ATTEMPTS
from tests.factories import held_turn, next_turn
from tests.faqs import HOURS, RETURNS
from tests.webhook.turns import (
    TAP,
    UNKNOWN,
    queued_turn,
    served_turn,
    state_of,
    texts,
)
from tests.worlds.model_stub import ModelStub
from tickets import services as tickets
from tickets.models import Agent, Reason, Ticket
from webhook import flow

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestACustomerWhoWaits:
    def test_good_answers_are_still_given(self) -> None:
        turn = queued_turn(HOURS[0])
        flow.reply(turn, model=None)
        assert texts()[-1] == HOURS[1]
        assert state_of(turn) == MessageState.ANSWERED

    def test_the_model_is_not_asked(self) -> None:
        model = ModelStub()
        turn = queued_turn("我的火箭发动机漏油了怎么办")
        flow.reply(turn, model=model)
        assert model.asked == []
        assert turn.message in Ticket.objects.get().messages.all()
        assert state_of(turn) == MessageState.HANDED_OVER

    def test_they_are_told_once_how_to_end_the_wait(self) -> None:
        turn = queued_turn("我的火箭发动机漏油了怎么办")
        flow.reply(turn, model=None)
        flow.reply(next_turn(turn.conversation, "还有，燃料是什么牌子的"), model=None)
        assert len([text for text in texts() if "取消人工" in text]) == 1
        assert Ticket.objects.get().messages.count() == 3

    @pytest.mark.parametrize("text", ["谢谢", "你好", "在吗", "9", "？？？"])
    def test_the_first_word_is_never_met_with_silence(self, text: str, agent: Agent) -> None:
        flow.reply(queued_turn(text), model=None)
        assert "正在排队" in texts()[-1]
        assert Ticket.objects.count() == 1

    def test_words_that_came_too_late_for_their_push_are_not_said_twice(self) -> None:
        """An unverified account: the handover's word goes out with the customer's next message."""
        turn = held_turn(text=UNKNOWN, passive=True)
        Message.objects.filter(pk=turn.message.pk).update(ended_with=Ending.TEXT)
        tickets.hand_over(turn, reason=Reason.MODEL_DOWN)
        before = texts()
        flow.reply(next_turn(turn.conversation, "还在吗"), model=None)
        assert texts() == before
        assert Ticket.objects.get().messages.count() == 2

    def test_another_wish_for_a_person_is_silent(self) -> None:
        turn = queued_turn("转人工", wants_human=True)
        before = texts()
        flow.reply(turn, model=None)
        assert texts() == before
        assert Ticket.objects.get().messages.count() == 2

    def test_they_may_end_the_wait(self) -> None:
        turn = queued_turn("取消人工")
        flow.reply(turn, model=None)
        assert texts()[-1] == "已取消人工，您可以继续提问。"
        assert Conversation.objects.get().owner == Owner.BOT
        assert not Ticket.objects.open().exists()

    def test_a_picture_goes_onto_the_ticket(self) -> None:
        turn = queued_turn("", kind="image")
        flow.reply(turn, model=None)
        assert turn.message in Ticket.objects.get().messages.all()
        assert not any("看不懂" in text for text in texts())

    def test_the_message_goes_onto_the_ticket_when_an_agent_took_over_at_that_moment(
        self, agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        turn = queued_turn(HOURS[0])
        load = session.load

        def take_then_load(*arguments: Any) -> object:
            tickets.take(Ticket.objects.get(), agent)
            return load(*arguments)

        monkeypatch.setattr(flow.session, "load", take_then_load)
        flow.reply(turn, model=None)
        assert HOURS[1] not in texts()
        assert state_of(turn) == MessageState.HANDED_OVER

    def test_the_bot_answers_when_the_wait_ended_at_that_moment(self, agent: Agent) -> None:
        turn = queued_turn(UNKNOWN)
        tickets.resolve(Ticket.objects.get(), agent)
        flow.reply(turn, model=ModelStub("我们暂时不支持比特币。"))
        assert texts()[-1] == "我们暂时不支持比特币。"


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestACustomerWhomAnAgentServes:
    @pytest.mark.parametrize("text", [RETURNS[0], UNKNOWN, "你好", "转人工", "谢谢", "取消人工"])
    def test_the_bot_is_silent(self, agent: Agent, text: str) -> None:
        turn = served_turn(agent, text)
        before = texts()
        flow.reply(turn, model=ModelStub())
        assert texts() == before
        assert turn.message in Ticket.objects.get().messages.all()
        assert state_of(turn) == MessageState.HANDED_OVER

    @pytest.mark.parametrize("kind", ["image", "voice", "location"])
    def test_a_picture_goes_onto_the_ticket(self, agent: Agent, kind: str) -> None:
        turn = served_turn(agent, "", kind=kind)
        flow.reply(turn, model=None)
        assert turn.message in Ticket.objects.get().messages.all()

    @pytest.mark.parametrize("text", ["继续", "查看", "more", "下一页"])
    def test_short_words_are_for_the_agent_where_nothing_waits(
        self, agent: Agent, text: str
    ) -> None:
        turn = served_turn(agent, text)
        before = texts()
        flow.reply(turn, model=None)
        assert texts() == before
        assert turn.message in Ticket.objects.get().messages.all()

    def test_a_tap_hears_that_nothing_is_there_yet(self, agent: Agent) -> None:
        flow.reply(served_turn(agent, "查看回复", passive=True, elements=TAP), model=None)
        assert texts()[-1] == "目前还没有新的回复，请稍候。"

    @pytest.mark.parametrize("elements", [TAP, {}])
    def test_a_tap_gets_the_agents_words_and_nothing_else(
        self, agent: Agent, elements: dict[str, str]
    ) -> None:
        """Typed or tapped."""
        turn = served_turn(agent, "查看回复", passive=True, elements=elements)
        tickets.reply(Ticket.objects.get(), agent, "您好，已经发货。")
        before = texts()
        flow.reply(turn, model=None)
        assert texts() == before
        assert state_of(turn) == MessageState.ANSWERED

    def test_an_unverified_accounts_customer_gets_a_receipt_at_most_every_ten_minutes(
        self, agent: Agent
    ) -> None:
        turn = served_turn(agent, "在吗", passive=True)
        flow.reply(turn, model=None)
        flow.reply(next_turn(turn.conversation, "还在吗"), model=None)
        receipts = [text for text in texts() if text.startswith("已转人工，客服回复后")]
        assert len(receipts) == 1
        assert "weixin://bizmsgmenu" in receipts[0]
        assert "，或回复「查看回复」" in receipts[0]
        Conversation.objects.update(receipt_at=timezone.now() - timedelta(minutes=10))
        flow.reply(next_turn(turn.conversation, "人呢"), model=None)
        assert len([text for text in texts() if text.startswith("已转人工，客服回复后")]) == 2

    def test_coming_back_to_the_account_is_no_reason_for_the_bot_to_speak(
        self, agent: Agent
    ) -> None:
        turn = served_turn(agent, "", kind="event.subscribe")
        before = texts()
        flow.reply(turn, model=None)
        assert texts() == before
        assert state_of(turn) == MessageState.ANSWERED

    def test_the_bot_answers_when_the_service_ended_at_that_moment(self, agent: Agent) -> None:
        turn = served_turn(agent, RETURNS[0])
        tickets.resolve(Ticket.objects.get(), agent)
        flow.reply(turn, model=None)
        assert texts()[-1] == RETURNS[1]


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestAMessageThatKillsItsWorkers:
    def test_a_person_gets_it_with_a_kind_word(self) -> None:
        turn = held_turn(text=UNKNOWN, attempt=MAX_ATTEMPTS)
        model = ModelStub()
        flow.reply(turn, model=model)
        assert model.asked == []
        ticket = Ticket.objects.get()
        assert ticket.reason == Reason.BROKEN
        assert ticket.number in texts()[0]
        assert state_of(turn) == MessageState.HANDED_OVER

    def test_a_person_who_serves_gets_it_without_a_word(self, agent: Agent) -> None:
        turn = served_turn(agent, RETURNS[0], attempt=MAX_ATTEMPTS)
        before = texts()
        flow.reply(turn, model=None)
        assert texts() == before
        assert turn.message in Ticket.objects.get().messages.all()
