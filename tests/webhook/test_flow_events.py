"""What becomes of taps, events, clicks on the menu and new followers."""

from __future__ import annotations

import re

import pytest

from conversations import session
from conversations.models import (
    Author,
    BotText,
    Conversation,
    Customer,
    Message,
    MessageState,
    Owner,
    ReplyState,
)
from conversations.session import Session
from conversations.turns.leases import MAX_ATTEMPTS, LeaseLost, Turn, attach_and_lease, new_claim
from knowledge.models import FAQ
from tests.factories import (
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    held_turn,
    next_turn,
)
from tests.faqs import HOURS, RETURNS
from tests.webhook.turns import (
    TAP,
    owned_by,
    queued_turn,
    said,
    served_turn,
    state_of,
    texts,
)
from tests.worlds.model_stub import ModelStub
from tickets import presence
from tickets.models import Agent, Reason, Ticket
from webhook import flow
from wechat.replies import without_links

pytestmark = pytest.mark.django_db


def arrived(kind: str, *, subscribed: bool) -> Turn:
    """An event of a customer whom we know so, from the moment it is stored."""
    known = ConversationFactory(customer__subscribed=subscribed)
    event = MessageFactory(
        conversation=None, account=known.account, openid=known.customer.openid, kind=kind, text=""
    )
    _, turn = attach_and_lease(event, new_claim())
    assert turn is not None
    return turn


CODES = ["V1001_TODAY", "menu_3", "9", "你好", "谢谢"]


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestATap:
    @pytest.mark.parametrize(
        "values", [{"text": "查看回复", "elements": TAP}, {"text": "查看回复"}, {"text": "下一页"}]
    )
    def test_it_is_no_question(self, values: dict[str, object]) -> None:
        model = ModelStub()
        turn = held_turn(passive=True, **values)
        flow.reply(turn, model=model)
        assert model.asked == []
        assert texts() == ["暂时没有更多内容，您可以继续提问。"]
        assert not Ticket.objects.exists()

    def test_it_gets_what_waits_and_nothing_else(self) -> None:
        turn = held_turn(passive=True, text="查看回复", elements=TAP)
        ReplyFactory(
            conversation=turn.conversation, state=ReplyState.WAITING_FOR_CUSTOMER, text="第二页"
        )
        flow.reply(turn, model=None)
        assert texts() == ["第二页"]
        assert state_of(turn) == MessageState.ANSWERED


class TestEvents:
    def test_a_new_follower_is_welcomed(self) -> None:
        turn = arrived("event.subscribe", subscribed=False)
        flow.reply(turn, model=None)
        assert said() == [
            (Author.SYSTEM, "您好，这里是小店。您可以直接提问，需要人工请回复「转人工」。"),
        ]
        assert Customer.objects.get().subscribed

    def test_one_who_lost_the_race_for_the_welcome_leaves_no_menu_behind(self, shop: None) -> None:
        turn = held_turn(kind="event.subscribe")
        Message.objects.update(attempt=2)
        with pytest.raises(LeaseLost):
            flow.reply(turn, model=None)
        assert session.load(turn.conversation, turn.customer.openid).offered == ()

    def test_one_who_left_is_noted_and_hears_nothing(self) -> None:
        turn = arrived("event.unsubscribe", subscribed=True)
        flow.reply(turn, model=None)
        assert said() == []
        assert not Customer.objects.get().subscribed
        assert state_of(turn) == MessageState.IGNORED

    @pytest.mark.parametrize(
        "kind", ["event.scan", "event.scancode_push", "event.scancode_waitmsg"]
    )
    def test_a_scan_is_noted_and_hears_nothing(self, kind: str) -> None:
        turn = held_turn(kind=kind)
        flow.reply(turn, model=None)
        assert said() == []
        assert state_of(turn) == MessageState.IGNORED


class TestAPushWhoseWorkersDiedAgainAndAgain:
    @pytest.mark.parametrize("kind", ["event.unsubscribe", "event.scan"])
    def test_a_person_sees_an_event_and_its_customer_hears_nothing(self, kind: str) -> None:
        turn = held_turn(text="", kind=kind, attempt=MAX_ATTEMPTS)
        flow.reply(turn, model=None)
        ticket = Ticket.objects.get()
        assert (ticket.reason, list(ticket.messages.all())) == (Reason.BROKEN, [turn.message])
        assert said() == []
        assert state_of(turn) == MessageState.HANDED_OVER
        assert Conversation.objects.get().owner == Owner.BOT

    def test_an_event_joins_the_open_ticket(self, agent: Agent) -> None:
        turn = served_turn(agent, "", kind="event.scan", attempt=MAX_ATTEMPTS)
        before = texts()
        flow.reply(turn, model=None)
        assert turn.message in Ticket.objects.get().messages.all()
        assert texts() == before
        assert Conversation.objects.get().owner == Owner.AGENT

    @pytest.mark.parametrize(
        "values",
        [
            {"text": "查看回复"},
            {"text": "查看回复", "elements": TAP},
            {"text": "", "kind": "event.subscribe"},
        ],
    )
    def test_a_person_sees_who_asked_for_what_waits_and_who_follows(
        self, values: dict[str, object]
    ) -> None:
        turn = held_turn(**values, attempt=MAX_ATTEMPTS)
        flow.reply(turn, model=None)
        assert Ticket.objects.get().reason == Reason.BROKEN
        assert state_of(turn) == MessageState.HANDED_OVER
        assert len(texts()) == 1


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestAClickOnAMenuEntry:
    @pytest.mark.parametrize("key", CODES)
    def test_a_code_is_no_question_and_the_customer_is_asked_for_words(self, key: str) -> None:
        turn = held_turn(text=key, kind="event.click")
        flow.reply(turn, model=None)
        assert said() == [
            (Author.SYSTEM, "请用一句话告诉我您想问什么，我来为您查询。需要人工请回复「转人工」。"),
        ]
        assert state_of(turn) == MessageState.ANSWERED
        assert not Ticket.objects.exists()
        assert session.load(turn.conversation, turn.customer.openid).context == ()

    @pytest.mark.parametrize("key", CODES)
    def test_a_code_is_never_left_to_the_model(self, key: str) -> None:
        assert not flow.surely_needs_model(held_turn(text=key, kind="event.click").message)

    def test_a_question_is_answered_and_remembered(self) -> None:
        turn = held_turn(text=RETURNS[0], kind="event.click")
        flow.reply(turn, model=None)
        assert said() == [(Author.BOT, RETURNS[1])]
        assert session.load(turn.conversation, turn.customer.openid).context == RETURNS

    def test_the_words_for_a_person_bring_one(self) -> None:
        flow.reply(held_turn(text="转人工", kind="event.click"), model=None)
        assert Ticket.objects.get().reason == Reason.CUSTOMER_ASKED

    def test_a_code_ends_no_menu_and_chooses_nothing_from_it(self) -> None:
        turn = held_turn(text="2", kind="event.click")
        offered = tuple(FAQ.objects.order_by("pk").values_list("pk", flat=True))[:3]
        session.remember(
            turn.customer.openid,
            Session(),
            question="怎么办",
            answer="您是想问：…",
            offered=offered,
        )
        flow.reply(turn, model=None)
        assert texts()[0].startswith("请用一句话")
        assert session.load(turn.conversation, turn.customer.openid).offered == offered

    def test_who_waits_for_a_person_is_not_told_to_ask_for_one(self, agent: Agent) -> None:
        presence.agent_did_something(agent.pk)
        turn = queued_turn("V1001_TODAY", kind="event.click")
        flow.reply(turn, model=None)
        assert "正在排队" in texts()[-1]
        assert "转人工」" not in texts()[-1]


@pytest.mark.usefixtures("shop")
class TestTheWelcomeWithQuestions:
    def welcomed(self) -> Turn:
        turn = held_turn(kind="event.subscribe")
        flow.reply(turn, model=None)
        return turn

    def test_it_names_what_can_be_asked(self) -> None:
        self.welcomed()
        (words,) = [without_links(text) for text in texts()]
        assert words == (
            "您好，这里是小店。您可以直接提问，也可以点选或回复数字：\n"
            f"1. {RETURNS[0]}\n2. {HOURS[0]}\n3. 会员积分如何兑换\n"
            "需要人工请回复「转人工」。"
        )

    @pytest.mark.parametrize("between", [(), ("你好",), ("9", "谢谢")])
    def test_its_numbers_choose(self, between: tuple[str, ...]) -> None:
        turn = self.welcomed()
        for text in (*between, "2"):
            flow.reply(next_turn(turn.conversation, text), model=None)
        assert texts()[-1] == HOURS[1]

    def test_its_numbers_choose_when_redis_has_lost_the_session(self) -> None:
        turn = self.welcomed()
        session.forget(turn.customer.openid)
        flow.reply(next_turn(turn.conversation, "2"), model=None)
        assert texts()[-1] == HOURS[1]

    def test_its_links_choose_long_after(self) -> None:
        turn = self.welcomed()
        links = re.findall(r"msgmenuid=([\w-]+)", texts()[0])
        session.forget(turn.customer.openid)
        Conversation.objects.update(last_reply_at=None)
        flow.reply(
            next_turn(turn.conversation, "2", elements={"bizmsgmenuid": links[1]}), model=None
        )
        assert texts()[-1] == HOURS[1]

    def test_it_forgets_nothing_that_was_said_before(self) -> None:
        turn = held_turn(text=RETURNS[0])
        flow.reply(turn, model=None)
        flow.reply(next_turn(turn.conversation, "", kind="event.subscribe"), model=None)
        assert session.load(turn.conversation, turn.customer.openid).context == RETURNS

    def test_whom_a_person_serves_is_offered_nothing(self) -> None:
        turn = owned_by(Owner.AGENT, held_turn(kind="event.subscribe"))
        flow.reply(turn, model=None)
        assert texts() == []
        assert session.load(turn.conversation, turn.customer.openid).offered == ()

    def test_an_accounts_own_words_need_not_have_them(self) -> None:
        turn = held_turn(kind="event.subscribe")
        BotText.objects.create(account_id=turn.account_id, moment="follow", text="欢迎来到{name}。")
        flow.reply(turn, model=None)
        assert texts() == ["欢迎来到小店。"]
        assert session.load(turn.conversation, turn.customer.openid).offered == ()

    def test_an_accounts_own_words_may_place_them(self) -> None:
        turn = held_turn(kind="event.subscribe")
        BotText.objects.create(
            account_id=turn.account_id, moment="follow", text="欢迎。\n{choices}"
        )
        flow.reply(turn, model=None)
        assert without_links(texts()[0]).startswith(f"欢迎。\n1. {RETURNS[0]}\n2. ")
