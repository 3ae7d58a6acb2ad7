"""What becomes of a message: each branch of the product's one function."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from assistant.pipeline import NeedsModel
from conversations import services, session
from conversations.claims import MAX_ATTEMPTS, LeaseLost, Turn
from conversations.models import (
    Author,
    BotText,
    Conversation,
    Customer,
    Ending,
    Message,
    MessageState,
    Owner,
    Reply,
    ReplyState,
)
from conversations.services import change_owner
from conversations.session import Session
from knowledge.models import FAQ
from llm.errors import ModelsBusy, ModelsDown, NoModel
from tests.factories import ReplyFactory, held_turn
from tests.fakes import FakeModel
from tests.tickets.conftest import next_turn
from tests.webhook.conftest import HOURS, RETURNS
from tickets import services as tickets
from tickets.models import Agent, Reason, Ticket
from webhook import flow
from wechat.replies import without_links

pytestmark = pytest.mark.django_db

UNKNOWN = "你们支持用比特币付款买二手火箭吗"
TAP = {"menu_id": "wechatbot-look"}


def said() -> list[tuple[str, str]]:
    return [(reply.author, reply.text) for reply in Reply.objects.order_by("pk")]


def texts() -> list[str]:
    return [text for _author, text in said()]


def state_of(turn: Turn) -> str:
    return Message.objects.get(pk=turn.message.pk).state


def owned_by(owner: Owner, turn: Turn) -> Turn:
    """The conversation is served by `owner` since before we took the message."""
    Conversation.objects.filter(pk=turn.conversation.pk).update(owner=owner)
    turn.conversation.refresh_from_db()
    return turn


def queued_turn(text: str, **values: object) -> Turn:
    """The customer waits for a person, was told so, and writes."""
    turn = held_turn(text=UNKNOWN)
    tickets.hand_over(turn, reason=Reason.NOTHING_MATCHED)
    return next_turn(turn.conversation, text, **values)


def served_turn(agent: Agent, text: str, *, passive: bool = False, **values: object) -> Turn:
    """An agent serves the customer, who writes."""
    turn = held_turn(text=UNKNOWN, passive=passive)
    ticket = tickets.hand_over(turn, reason=Reason.NOTHING_MATCHED)
    tickets.take(ticket, agent)
    return next_turn(turn.conversation, text, **values)


def agent_takes_over(turn: Turn, agent: Agent) -> None:
    """As the desk does it, with rows of its own."""
    conversation = Conversation.objects.get(pk=turn.conversation.pk)
    ticket = Ticket.objects.create(
        number="1",
        reason=Reason.CUSTOMER_ASKED,
        customer=turn.customer,
        conversation=conversation,
        open_for=conversation,
    )
    tickets.take(ticket, agent)


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
        session.remember(turn.customer.openid, Session(), question="怎么办", answer="您是想问：…", offered=offered)
        flow.reply(turn, model=None)
        assert texts() == [HOURS[1]]

    def test_it_says_hello_and_opens_no_ticket(self) -> None:
        flow.reply(held_turn(text="你好"), model=None)
        assert texts() == ["您好，请问有什么可以帮您？"]
        assert not Ticket.objects.exists()

    def test_it_hands_over_what_nobody_knows_and_no_model_can_say(self) -> None:
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=None)
        ticket = Ticket.objects.get()
        assert ticket.reason == Reason.NOTHING_MATCHED
        assert list(ticket.messages.all()) == [turn.message]
        assert said() == [(Author.SYSTEM, f"这个问题我暂时没有准确答案，已为您转给人工客服（编号 {ticket.number}）。")]
        assert state_of(turn) == MessageState.HANDED_OVER
        assert Conversation.objects.get().owner == Owner.QUEUE

    def test_it_hands_over_when_it_is_asked_to(self) -> None:
        flow.reply(held_turn(text="转人工"), model=None)
        assert Ticket.objects.get().reason == Reason.CUSTOMER_ASKED

    def test_it_says_that_it_cannot_read_a_picture(self) -> None:
        turn = held_turn(text="", kind="image")
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
        model = FakeModel("我们暂时不支持比特币。")
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=model)
        assert said() == [(Author.BOT, "我们暂时不支持比特币。")]
        assert model.session_ids == [turn.conversation.session_id]

    def test_it_reads_what_was_said_before(self) -> None:
        model = FakeModel("我们暂时不支持比特币。", "只收人民币。")
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=model)
        flow.reply(next_turn(turn.conversation, "那收什么呢"), model=model)
        assert UNKNOWN in model.prompt
        assert "我们暂时不支持比特币。" in model.prompt

    def test_it_is_not_asked_for_what_the_knowledge_base_knows(self) -> None:
        model = FakeModel()
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
    def test_a_person_gets_what_it_cannot_answer(self, answer: object, reason: Reason) -> None:
        turn = held_turn(text=UNKNOWN)
        flow.reply(turn, model=FakeModel(answer))  # type: ignore[arg-type]
        assert Ticket.objects.get().reason == reason
        assert len(texts()) == 1
        assert state_of(turn) == MessageState.HANDED_OVER

    @pytest.mark.parametrize("answer", ["迟到的回答", ModelsDown("all failed"), {"answer": "", "can_answer": False}])
    def test_it_says_nothing_when_an_agent_took_over_while_it_thought(self, agent: Agent, answer: object) -> None:
        turn = held_turn(text=UNKNOWN)
        model = FakeModel(answer, meanwhile=lambda: agent_takes_over(turn, agent))  # type: ignore[arg-type]
        flow.reply(turn, model=model)
        assert len(model.asked) == 1
        assert said() == []
        assert state_of(turn) == MessageState.HANDED_OVER
        assert list(Ticket.objects.get().messages.all()) == [turn.message]
        assert session.load(turn.conversation, turn.customer.openid).context == ()

    def test_its_answer_is_kept_while_the_database_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(flow, "KEEP_ANSWER_PAUSE", 0)
        model = FakeModel("我们暂时不支持比特币。")
        refusals = [OperationalError(2006, "gone away"), OperationalError(2002, "no connection")]

        def say_later(*arguments: object, **values: object) -> object:
            if refusals:
                raise refusals.pop()
            return services.say(*arguments, **values)  # type: ignore[arg-type]

        monkeypatch.setattr(flow, "say", say_later)
        flow.reply(held_turn(text=UNKNOWN), model=model)
        assert texts() == ["我们暂时不支持比特币。"]
        assert len(model.asked) == 1

    def test_it_gives_up_an_answer_that_cannot_be_written_for_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(flow, "KEEP_ANSWER_PAUSE", 0)
        monkeypatch.setattr(flow, "KEEP_ANSWER_SECONDS", 0)

        def never(*arguments: object, **values: object) -> None:
            raise OperationalError(2002, "no connection")

        monkeypatch.setattr(flow, "say", never)
        with pytest.raises(OperationalError):
            flow.reply(held_turn(text=UNKNOWN), model=FakeModel("我们暂时不支持比特币。"))

    def test_its_answer_is_dropped_when_the_lease_was_lost(self) -> None:
        turn = held_turn(text=UNKNOWN)
        model = FakeModel("迟到的回答", meanwhile=lambda: Message.objects.update(attempt=2))
        with pytest.raises(LeaseLost):
            flow.reply(turn, model=model)
        assert said() == []


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestACustomerWhoWaits:
    def test_good_answers_are_still_given(self) -> None:
        turn = queued_turn(HOURS[0])
        flow.reply(turn, model=None)
        assert texts()[-1] == HOURS[1]
        assert state_of(turn) == MessageState.ANSWERED

    def test_the_model_is_not_asked(self) -> None:
        model = FakeModel()
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
    def test_the_first_word_is_never_met_with_silence(self, text: str) -> None:
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

        def take_then_load(*arguments: object) -> object:
            tickets.take(Ticket.objects.get(), agent)
            return load(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(flow.session, "load", take_then_load)
        flow.reply(turn, model=None)
        assert HOURS[1] not in texts()
        assert state_of(turn) == MessageState.HANDED_OVER

    def test_the_bot_answers_when_the_wait_ended_at_that_moment(self, agent: Agent) -> None:
        turn = queued_turn(UNKNOWN)
        tickets.resolve(Ticket.objects.get(), agent)
        flow.reply(turn, model=FakeModel("我们暂时不支持比特币。"))
        assert texts()[-1] == "我们暂时不支持比特币。"


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestACustomerWhomAnAgentServes:
    @pytest.mark.parametrize("text", [RETURNS[0], UNKNOWN, "你好", "转人工", "谢谢", "取消人工"])
    def test_the_bot_is_silent(self, agent: Agent, text: str) -> None:
        turn = served_turn(agent, text)
        before = texts()
        flow.reply(turn, model=FakeModel())
        assert texts() == before
        assert turn.message in Ticket.objects.get().messages.all()
        assert state_of(turn) == MessageState.HANDED_OVER

    @pytest.mark.parametrize("kind", ["image", "voice", "location"])
    def test_a_picture_goes_onto_the_ticket(self, agent: Agent, kind: str) -> None:
        turn = served_turn(agent, "", kind=kind)
        flow.reply(turn, model=None)
        assert turn.message in Ticket.objects.get().messages.all()

    @pytest.mark.parametrize("text", ["继续", "查看", "more", "下一页"])
    def test_short_words_are_for_the_agent_where_nothing_waits(self, agent: Agent, text: str) -> None:
        turn = served_turn(agent, text)
        before = texts()
        flow.reply(turn, model=None)
        assert texts() == before
        assert turn.message in Ticket.objects.get().messages.all()

    def test_a_tap_hears_that_nothing_is_there_yet(self, agent: Agent) -> None:
        flow.reply(served_turn(agent, "查看回复", passive=True, fields=TAP), model=None)
        assert texts()[-1] == "目前还没有新的回复，请稍候。"

    def test_a_tap_gets_the_agents_words_and_nothing_else(self, agent: Agent) -> None:
        turn = served_turn(agent, "查看回复", passive=True, fields=TAP)
        tickets.reply(Ticket.objects.get(), agent, "您好，已经发货。")
        before = texts()
        flow.reply(turn, model=None)
        assert texts() == before
        assert state_of(turn) == MessageState.ANSWERED

    def test_an_unverified_accounts_customer_gets_a_receipt_at_most_every_ten_minutes(self, agent: Agent) -> None:
        turn = served_turn(agent, "在吗", passive=True)
        flow.reply(turn, model=None)
        flow.reply(next_turn(turn.conversation, "还在吗"), model=None)
        receipts = [text for text in texts() if text.startswith("已转人工，客服回复后")]
        assert len(receipts) == 1
        assert "weixin://bizmsgmenu" in receipts[0]
        Conversation.objects.update(receipt_at=timezone.now() - timedelta(minutes=10))
        flow.reply(next_turn(turn.conversation, "人呢"), model=None)
        assert len([text for text in texts() if text.startswith("已转人工，客服回复后")]) == 2

    def test_coming_back_to_the_account_is_no_reason_for_the_bot_to_speak(self, agent: Agent) -> None:
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
        model = FakeModel()
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


@pytest.mark.usefixtures("shop", "model_is_configured")
class TestATap:
    @pytest.mark.parametrize("values", [{"text": "查看回复", "fields": TAP}, {"text": "查看回复"}, {"text": "下一页"}])
    def test_it_is_no_question(self, values: dict[str, object]) -> None:
        model = FakeModel()
        turn = held_turn(passive=True, **values)
        flow.reply(turn, model=model)
        assert model.asked == []
        assert texts() == ["暂时没有更多内容，您可以继续提问。"]
        assert not Ticket.objects.exists()

    def test_it_gets_what_waits_and_nothing_else(self) -> None:
        turn = held_turn(passive=True, text="查看回复", fields=TAP)
        ReplyFactory(conversation=turn.conversation, state=ReplyState.WAITING_FOR_CUSTOMER, text="第二页")
        flow.reply(turn, model=None)
        assert texts() == ["第二页"]
        assert state_of(turn) == MessageState.ANSWERED


class TestEvents:
    def test_a_new_follower_is_welcomed(self) -> None:
        turn = held_turn(text="", kind="event.subscribe")
        Customer.objects.update(subscribed=False)
        flow.reply(turn, model=None)
        assert said() == [
            (Author.SYSTEM, "您好，这里是小店。您可以直接提问，需要人工请回复「转人工」。"),
        ]
        assert Customer.objects.get().subscribed

    def test_one_who_lost_the_race_for_the_welcome_leaves_no_menu_behind(self, shop: None) -> None:
        turn = held_turn(text="", kind="event.subscribe")
        Message.objects.update(attempt=2)
        with pytest.raises(LeaseLost):
            flow.reply(turn, model=None)
        assert session.load(turn.conversation, turn.customer.openid).offered == ()

    def test_one_who_left_is_noted_and_hears_nothing(self) -> None:
        turn = held_turn(text="", kind="event.unsubscribe")
        flow.reply(turn, model=None)
        assert said() == []
        assert not Customer.objects.get().subscribed
        assert state_of(turn) == MessageState.IGNORED

    @pytest.mark.parametrize("kind", ["event.scan", "event.scancode_push", "event.scancode_waitmsg"])
    def test_a_scan_is_noted_and_hears_nothing(self, kind: str) -> None:
        turn = held_turn(text="", kind=kind)
        flow.reply(turn, model=None)
        assert said() == []
        assert state_of(turn) == MessageState.IGNORED


CODES = ["V1001_TODAY", "menu_3", "9", "你好", "谢谢"]


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
        session.remember(turn.customer.openid, Session(), question="怎么办", answer="您是想问：…", offered=offered)
        flow.reply(turn, model=None)
        assert texts()[0].startswith("请用一句话")
        assert session.load(turn.conversation, turn.customer.openid).offered == offered

    def test_who_waits_for_a_person_is_not_told_to_ask_for_one(self) -> None:
        turn = queued_turn("V1001_TODAY", kind="event.click")
        flow.reply(turn, model=None)
        assert "正在排队" in texts()[-1]
        assert "转人工」" not in texts()[-1]


@pytest.mark.usefixtures("shop")
class TestTheWelcomeWithQuestions:
    def welcomed(self) -> Turn:
        turn = held_turn(text="", kind="event.subscribe")
        flow.reply(turn, model=None)
        return turn

    def test_it_names_what_can_be_asked(self) -> None:
        self.welcomed()
        (words,) = [without_links(text) for text in texts()]
        assert words == (
            "您好，这里是小店。您可以直接提问，也可以点选：\n"
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
        flow.reply(next_turn(turn.conversation, "2", fields={"menu_id": links[1]}), model=None)
        assert texts()[-1] == HOURS[1]

    def test_it_forgets_nothing_that_was_said_before(self) -> None:
        turn = held_turn(text=RETURNS[0])
        flow.reply(turn, model=None)
        flow.reply(next_turn(turn.conversation, "", kind="event.subscribe"), model=None)
        assert session.load(turn.conversation, turn.customer.openid).context == RETURNS

    def test_whom_a_person_serves_is_offered_nothing(self) -> None:
        turn = owned_by(Owner.AGENT, held_turn(text="", kind="event.subscribe"))
        flow.reply(turn, model=None)
        assert texts() == []
        assert session.load(turn.conversation, turn.customer.openid).offered == ()

    def test_an_accounts_own_words_need_not_have_them(self) -> None:
        turn = held_turn(text="", kind="event.subscribe")
        BotText.objects.create(account_id=turn.account_id, moment="follow", text="欢迎来到{name}。")
        flow.reply(turn, model=None)
        assert texts() == ["欢迎来到小店。"]
        assert session.load(turn.conversation, turn.customer.openid).offered == ()

    def test_an_accounts_own_words_may_place_them(self) -> None:
        turn = held_turn(text="", kind="event.subscribe")
        BotText.objects.create(account_id=turn.account_id, moment="follow", text="欢迎。\n{choices}")
        flow.reply(turn, model=None)
        assert without_links(texts()[0]).startswith(f"欢迎。\n1. {RETURNS[0]}\n2. ")


def test_the_owner_may_change_from_queue_to_bot_while_the_model_thinks(shop: None, model_is_configured: None) -> None:
    """Nobody serves the customer: the answer is not lost, the message is answered anew."""
    turn = held_turn(text=UNKNOWN)

    def comes_and_goes() -> None:
        model.meanwhile = None
        conversation = Conversation.objects.get(pk=turn.conversation.pk)
        change_owner(conversation, Owner.QUEUE)
        change_owner(conversation, Owner.BOT)

    model = FakeModel("第一个回答", "第二个回答", meanwhile=comes_and_goes)
    flow.reply(turn, model=model)
    assert len(texts()) == 1
    assert state_of(turn) == MessageState.ANSWERED
