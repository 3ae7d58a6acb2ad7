"""Writing the one answer of a message: one set of rows, fenced by lease and
owner, woken or sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from common.redis import redis
from conversations import session
from conversations.models import (
    Author,
    BotText,
    Conversation,
    Ending,
    Hold,
    Message,
    MessageState,
    Owner,
    Reply,
    ReplyState,
)
from conversations.replies import say as saying
from conversations.replies.by_hand import write_to_customer
from conversations.replies.owner import change_owner
from conversations.replies.say import OwnerChanged, say
from conversations.saying import Lines, LookLink, Saying
from conversations.session import Session
from conversations.turns.leases import LeaseLost, Outcome, Turn
from tests.factories import AccountFactory, ConversationFactory, ReplyFactory, held_turn
from wechat.accounts import namespace
from wechat.models import ReplyMode

pytestmark = pytest.mark.django_db

Committed = Callable[..., Outcome]
NINE_KILOBYTES = "这是一句说明退货条件的话。" * 231


def soon() -> object:
    return timezone.now() + timedelta(seconds=4)


def states() -> list[str]:
    return [reply.state for reply in Reply.objects.order_by("pk")]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(saying, "wake", ids.append)
    return ids


@pytest.fixture
def committed(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Committed:
    """`say`, with what follows its commit; returns what the answer led to."""

    def say_it(turn: Turn, *texts: str, author: Author = Author.BOT) -> Outcome:
        with django_capture_on_commit_callbacks(execute=True):
            say(turn, list(texts), author=author)
        assert turn.outcome is not None
        return turn.outcome

    return say_it


def test_it_puts_what_is_said_into_the_accounts_words() -> None:
    turn = held_turn()
    BotText.objects.create(
        account_id=turn.account_id, moment="handover_waiting", text="记下了：{number}"
    )
    link = Saying("handover_look", link=LookLink("agent_receipt_link"))
    say(turn, [Lines((Saying("handover_waiting", number="7"), link))], author=Author.SYSTEM)
    [first, second] = Reply.objects.get().text.splitlines()
    assert first == "记下了：7"
    assert re.fullmatch("客服回复后<a .*>点这里查看</a>，或回复「查看回复」。", second)


def test_it_says_the_same_whatever_becomes_of_the_message() -> None:
    for state in (MessageState.ANSWERED, MessageState.HANDED_OVER):
        turn = held_turn(passive=True)
        say(turn, ["请稍候。"], author=Author.SYSTEM, state=state)
        assert Reply.objects.get(message=turn.message).text == "请稍候。"


def test_the_exchange_is_remembered_in_the_words_that_the_customer_reads() -> None:
    turn = held_turn()
    say(turn, [Saying("greeting")], author=Author.BOT, memory=Session(("早", "早上好。")))
    assert session.load(turn.conversation, turn.customer.openid).context == (
        *("早", "早上好。"),
        *(turn.message.text, Reply.objects.get().text),
    )


def test_words_that_were_not_written_are_not_remembered() -> None:
    turn = held_turn()
    Conversation.objects.update(owner=Owner.AGENT, owner_version=1)
    with pytest.raises(OwnerChanged):
        say(turn, ["七天内可以。"], author=Author.BOT, memory=Session())
    key = session.session_key(turn.customer.openid, namespace(turn.account_id))
    assert redis().get(key) is None


def test_it_writes_an_answer_in_parts_and_in_order() -> None:
    turn = held_turn()
    say(turn, ["先说一句。", NINE_KILOBYTES], author=Author.BOT, source="faq")
    rows = list(Reply.objects.order_by("pk"))
    assert [row.part for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) > 5
    assert "".join(row.text for row in rows) == f"先说一句。{NINE_KILOBYTES}"
    assert {row.message_id for row in rows} == {turn.message.pk}
    assert {row.source for row in rows} == {"faq"}


def test_it_ends_the_message() -> None:
    turn = held_turn()
    say(turn, ["七天内可以。"], author=Author.BOT)
    assert Message.objects.get().state == MessageState.ANSWERED


def test_it_ends_the_message_with_nothing_to_say() -> None:
    turn = held_turn()
    say(turn, [], author=Author.SYSTEM, state=MessageState.IGNORED)
    assert Message.objects.get().state == MessageState.IGNORED
    assert not Reply.objects.exists()


def test_it_keeps_what_a_menu_offered_on_the_last_part() -> None:
    say(held_turn(), [NINE_KILOBYTES], author=Author.BOT, options=[7, 3])
    *others, last = Reply.objects.order_by("part")
    assert last.options == [7, 3]
    assert all(row.options == [] for row in others)


def test_it_answers_a_message_once(committed: Committed) -> None:
    turn = held_turn()
    committed(turn, "第一次")
    with pytest.raises(LeaseLost):
        say(turn, ["第二次"], author=Author.BOT)
    assert Reply.objects.get().text == "第一次"


def test_the_database_holds_one_set_of_parts_for_each_message() -> None:
    turn = held_turn()
    say(turn, ["第一次"], author=Author.BOT)
    with pytest.raises(IntegrityError):
        ReplyFactory(conversation=turn.conversation, message=turn.message, part=1)


def test_it_writes_nothing_for_who_lost_the_lease() -> None:
    turn = held_turn()
    Message.objects.update(attempt=2)
    with pytest.raises(LeaseLost):
        say(turn, ["迟到的回答"], author=Author.SYSTEM)
    assert not Reply.objects.exists()


def test_it_writes_nothing_of_the_bot_when_a_person_took_over() -> None:
    turn = held_turn()
    Conversation.objects.update(owner=Owner.AGENT, owner_version=1)
    with pytest.raises(OwnerChanged):
        say(turn, ["机器人的回答"], author=Author.BOT)
    assert not Reply.objects.exists()
    assert Message.objects.get().state == MessageState.ANSWERING


def test_the_words_of_the_system_pass_the_fence() -> None:
    turn = held_turn()
    Conversation.objects.update(owner=Owner.QUEUE, owner_version=1)
    say(
        turn, ["已为您转接人工客服，请稍候。"], author=Author.SYSTEM, state=MessageState.HANDED_OVER
    )
    assert Reply.objects.get().owner_version is None


class TestOnAVerifiedAccount:
    def test_it_wakes_the_request_that_waits(self, woken: list[int], committed: Committed) -> None:
        turn = held_turn(until=soon())
        assert not committed(turn, "七天内可以。").is_due
        assert woken == [turn.message.pk]
        assert states() == [ReplyState.READY]

    @pytest.mark.parametrize("hold", [{"hold": Hold.RELEASED}, {"hold": Hold.NONE}])
    def test_it_sends_where_the_request_has_been_released(
        self, hold: dict[str, str], woken: list[int], committed: Committed
    ) -> None:
        assert committed(held_turn(**hold), "七天内可以。").is_due
        assert woken == []

    def test_it_sends_when_the_hold_is_over_although_nobody_said_so(
        self, woken: list[int], committed: Committed
    ) -> None:
        turn = held_turn(until=timezone.now() - timedelta(seconds=1))
        assert committed(turn, "七天内可以。").is_due
        assert woken == []

    def test_it_reads_the_hold_as_it_is_now_and_not_as_it_was_claimed(
        self, committed: Committed
    ) -> None:
        turn = held_turn(until=soon())
        Message.objects.update(hold=Hold.RELEASED, ended_with=Ending.SUCCESS)
        assert committed(turn, "七天内可以。").is_due

    def test_it_lets_what_waited_go_out_before_the_answer(self) -> None:
        turn = held_turn(hold=Hold.RELEASED)
        earlier = timezone.now() - timedelta(hours=1)
        ReplyFactory(
            conversation=turn.conversation,
            state=ReplyState.WAITING_FOR_CUSTOMER,
            created_at=earlier,
        )
        say(turn, ["七天内可以。"], author=Author.BOT)
        assert states() == [ReplyState.READY, ReplyState.READY]

    def test_it_lets_what_waits_go_out_without_an_answer_of_its_own(
        self, woken: list[int], committed: Committed
    ) -> None:
        turn = held_turn(hold=Hold.RELEASED)
        ReplyFactory(conversation=turn.conversation, state=ReplyState.WAITING_FOR_CUSTOMER)
        assert committed(turn, author=Author.SYSTEM).is_due
        assert woken == []


class TestOnAnUnverifiedAccount:
    def test_it_is_ready_for_the_next_delivery_of_the_push(self) -> None:
        say(
            held_turn(passive=True, until=timezone.now() - timedelta(seconds=1)),
            ["七天内可以。"],
            author=Author.BOT,
        )
        assert states() == [ReplyState.READY]

    @pytest.mark.parametrize("ending", [Ending.TEXT, Ending.SUCCESS])
    def test_it_waits_for_the_customer_when_the_push_was_ended(self, ending: Ending) -> None:
        say(held_turn(passive=True, ended_with=ending), ["七天内可以。"], author=Author.BOT)
        assert states() == [ReplyState.WAITING_FOR_CUSTOMER]

    def test_it_never_asks_for_a_send(self, woken: list[int], committed: Committed) -> None:
        turn = held_turn(passive=True, ended_with=Ending.TEXT)
        assert not committed(turn, "七天内可以。").is_due
        assert woken == []


class TestAnAgentsOwnWords:
    def test_they_are_sent_on_a_verified_account(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        conversation = ConversationFactory()
        with django_capture_on_commit_callbacks(execute=True):
            write_to_customer(conversation, "您好。", author=Author.AGENT, agent_name="李明")
        row = Reply.objects.get()
        assert (row.state, row.message, row.agent_name) == (ReplyState.READY, None, "李明")
        assert redis().llen("deliver") == 1

    def test_they_wait_for_the_customer_on_an_unverified_one(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        conversation = ConversationFactory(
            customer__account=AccountFactory(reply_mode=ReplyMode.PASSIVE)
        )
        with django_capture_on_commit_callbacks(execute=True):
            write_to_customer(conversation, "您好。", author=Author.AGENT)
        assert states() == [ReplyState.WAITING_FOR_CUSTOMER]
        assert redis().llen("deliver") == 0

    def test_they_are_cut_into_parts(self) -> None:
        write_to_customer(ConversationFactory(), NINE_KILOBYTES, author=Author.AGENT)
        assert (
            "".join(Reply.objects.order_by("pk").values_list("text", flat=True)) == NINE_KILOBYTES
        )


class TestChangingTheOwner:
    @pytest.fixture
    def answered(self) -> Message:
        turn = held_turn()
        say(turn, [NINE_KILOBYTES], author=Author.BOT)
        return turn.message

    def test_it_withdraws_what_the_bot_has_not_sent(self, answered: Message) -> None:
        first, second, *others = Reply.objects.order_by("part")
        Reply.objects.filter(pk=first.pk).update(state=ReplyState.SENT)
        Reply.objects.filter(pk=second.pk).update(state=ReplyState.WAITING_FOR_CUSTOMER)
        change_owner(answered.conversation, Owner.AGENT)
        assert states() == [ReplyState.SENT] + [ReplyState.WITHDRAWN] * (len(others) + 1)

    def test_it_hands_over_the_message_whose_answer_was_dropped(self, answered: Message) -> None:
        assert change_owner(answered.conversation, Owner.AGENT) == [answered]
        assert Message.objects.get().state == MessageState.HANDED_OVER

    def test_it_leaves_alone_what_has_been_said(self, answered: Message) -> None:
        Reply.objects.update(state=ReplyState.SENT)
        assert change_owner(answered.conversation, Owner.AGENT) == []
        assert Message.objects.get().state == MessageState.ANSWERED

    @pytest.mark.parametrize("state", [ReplyState.SENDING, ReplyState.UNKNOWN, ReplyState.FAILED])
    def test_it_does_not_touch_what_is_on_its_way_or_lost(
        self, answered: Message, state: ReplyState
    ) -> None:
        Reply.objects.update(state=state)
        assert change_owner(answered.conversation, Owner.AGENT) == []
        assert set(states()) == {state}

    @pytest.mark.parametrize("author", [Author.SYSTEM, Author.AGENT])
    def test_it_lets_the_words_of_people_and_system_pass(
        self, answered: Message, author: Author
    ) -> None:
        kept = ReplyFactory(conversation=answered.conversation, author=author)
        change_owner(answered.conversation, Owner.AGENT)
        kept.refresh_from_db()
        assert kept.state == ReplyState.READY

    def test_it_counts_the_version_on_each_time(self, answered: Message) -> None:
        for owner in (Owner.QUEUE, Owner.AGENT, Owner.BOT):
            change_owner(answered.conversation, owner)
        row = Conversation.objects.get()
        assert (row.owner, row.owner_version) == (Owner.BOT, 3)
        assert answered.conversation.owner_version == 3

    def test_the_bot_goes_on_with_what_it_said_in_the_queue(self) -> None:
        """A FAQ hit was given while the customer waited; the wait ends before its last part is
        sent.
        """
        turn = held_turn()
        Conversation.objects.update(owner=Owner.QUEUE, owner_version=1)
        turn.conversation.refresh_from_db()
        say(turn, ["营业时间是九点到六点。"], author=Author.BOT)
        change_owner(turn.conversation, Owner.BOT)
        row = Reply.objects.get()
        assert (row.state, row.owner_version) == (ReplyState.READY, 2)
