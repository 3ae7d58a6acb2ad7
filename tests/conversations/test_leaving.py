"""A customer who unfollows: nothing of what is ready or under way is sent to them any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from conversations.models import (
    Author,
    Conversation,
    Customer,
    Ending,
    Hold,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import by_api
from conversations.replies.leaving import REASON, withdraw_if_left
from conversations.replies.say import say
from conversations.turns.arriving import attach
from conversations.turns.leases import lease_turn
from conversations.window import ledger
from tests.factories import AccountFactory, ConversationFactory, MessageFactory, ReplyFactory
from tests.worlds.api_stub import ApiStub
from webhook.answering import send_first_part
from wechat.errors import NotFollowing
from wechat.models import ReplyMode

pytestmark = pytest.mark.django_db(transaction=True)

LEFT, CAME, WROTE = "event.unsubscribe", "event.subscribe", "text"


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.fixture
def conversation() -> Conversation:
    conversation = ConversationFactory()
    ledger.open_message_window(conversation.customer_id, ago(60))
    return conversation


@pytest.fixture
def passive() -> Conversation:
    return ConversationFactory(customer__account=AccountFactory(reply_mode=ReplyMode.PASSIVE))


def push(conversation: Conversation, kind: str, *, at: datetime | None = None) -> Message:
    at = at or timezone.now()
    message = MessageFactory(
        conversation=None,
        account=conversation.account,
        openid=conversation.customer.openid,
        kind=kind,
        text="怎么退货" if kind == WROTE else "",
        sent_at=at,
        received_at=at,
    )
    attach([message.pk])
    return message


def unfollow(conversation: Conversation) -> None:
    push(conversation, LEFT)


def ready(conversation: Conversation, *texts: str, author: Author = Author.BOT) -> Message:
    message = MessageFactory(conversation=conversation, state=MessageState.ANSWERED)
    for part, text in enumerate(texts, start=1):
        ReplyFactory(
            conversation=conversation, message=message, part=part, text=text, author=author
        )
    return message


def customer() -> Customer:
    return Customer.objects.get()


def states() -> list[str]:
    return [reply.state for reply in Reply.objects.order_by("pk")]


class TestWhoFollows:
    """The newest push tells, in whatever order they are attached."""

    @pytest.mark.parametrize(
        ("pushes", "follows", "sends"),
        [
            ([(LEFT, 0)], False, 0),
            ([(WROTE, 0), (LEFT, 5)], False, 0),
            ([(LEFT, 5), (WROTE, 0)], False, 0),
            ([(CAME, 0), (LEFT, 5)], False, 0),
            ([(LEFT, 5), (CAME, 0)], False, 3),
            ([(LEFT, 0), (CAME, 5)], True, 3),
            ([(CAME, 5), (LEFT, 0)], True, 3),
            ([(LEFT, 0), (WROTE, 5)], True, 5),
            ([(WROTE, 5), (LEFT, 0)], True, 5),
            ([(LEFT, 0), (CAME, 5), (WROTE, 9)], True, 8),
        ],
    )
    def test_the_newest_push_tells(
        self, pushes: list[tuple[str, int]], follows: bool, sends: int
    ) -> None:
        conversation, began = ConversationFactory(), ago(20)
        for kind, seconds in pushes:
            push(conversation, kind, at=began + timedelta(seconds=seconds))
        row = customer()
        assert (row.subscribed, ledger.sends_left(row, began)) == (follows, sends)

    def test_one_who_leaves_before_we_know_them_does_not_follow(self) -> None:
        account = AccountFactory()
        message = MessageFactory(conversation=None, account=account, openid="oGone", kind=LEFT)
        attach([message.pk])
        assert not customer().subscribed

    def test_a_send_that_comes_back_opens_nothing(self, conversation: Conversation) -> None:
        unfollow(conversation)
        ledger.refund(conversation.customer, timezone.now())
        assert ledger.sends_left(customer(), timezone.now()) == 0

    def test_one_whom_wechat_calls_gone_is_back_with_their_next_word(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        ready(conversation, "七天内可以。")
        wechat.errors = [NotFollowing()]
        by_api.deliver(conversation.pk)
        assert not customer().subscribed
        push(conversation, WROTE)
        ready(conversation, "您好。")
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["您好。"]


class TestWhatWasOnItsWay:
    @pytest.mark.parametrize("author", [Author.BOT, Author.AGENT, Author.SYSTEM])
    def test_what_is_ready_is_withdrawn(
        self, conversation: Conversation, wechat: ApiStub, author: Author
    ) -> None:
        ready(conversation, "第一段", "第二段", author=author)
        unfollow(conversation)
        by_api.deliver(conversation.pk)
        assert wechat.tried == 0
        assert states() == [ReplyState.WITHDRAWN] * 2
        assert {reply.reason for reply in Reply.objects.all()} == {REASON}

    def test_the_rest_of_a_half_sent_answer_is_withdrawn(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        ready(conversation, "第一段", "第二段", "第三段")
        wechat.meanwhile = lambda: unfollow(conversation)
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["第一段"]
        assert states() == [ReplyState.SENT, ReplyState.WITHDRAWN, ReplyState.WITHDRAWN]

    def test_no_call_begins_for_a_text_that_is_claimed_already(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        ready(conversation, "七天内可以。")
        line = by_api.open_line(conversation.account)
        reply = by_api.claim_next(conversation.pk)
        assert reply is not None
        unfollow(conversation)
        assert not by_api.send(reply, line)
        by_api.deliver(conversation.pk)
        assert wechat.tried == 0
        assert states() == [ReplyState.WITHDRAWN]

    def test_an_answer_that_was_being_thought_of_is_not_sent(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        push(conversation, WROTE, at=ago(9))
        turn = lease_turn(conversation.pk)
        assert turn is not None
        turn.line = by_api.line_at_hand(turn.account)
        unfollow(conversation)
        say(turn, ["七天内可以。"], author=Author.BOT)
        send_first_part(turn)
        assert wechat.tried == 0
        assert states() == [ReplyState.WITHDRAWN]

    def test_a_text_whose_call_has_begun_is_left_alone(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        ready(conversation, "七天内可以。")

        def leave() -> None:
            unfollow(conversation)
            withdraw_if_left(conversation.pk)

        wechat.meanwhile = leave
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.SENT]

    def test_whoever_comes_back_at_once_gets_the_rest(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        ready(conversation, "第一段", "第二段")
        unfollow(conversation)
        push(conversation, CAME)
        withdraw_if_left(conversation.pk)
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["第一段", "第二段"]

    def test_another_customers_texts_are_not_touched(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        other = ConversationFactory(customer__account=conversation.account)
        ledger.open_message_window(other.customer_id, timezone.now())
        ready(other, "给别人的")
        unfollow(conversation)
        withdraw_if_left(conversation.pk)
        by_api.deliver(other.pk)
        assert wechat.texts == ["给别人的"]


class TestOnAnUnverifiedAccount:
    def waiting(self, conversation: Conversation) -> None:
        ReplyFactory(conversation=conversation, state=ReplyState.WAITING_FOR_CUSTOMER)

    def test_what_waits_for_their_next_push_is_withdrawn(self, passive: Conversation) -> None:
        self.waiting(passive)
        unfollow(passive)
        withdraw_if_left(passive.pk)
        assert states() == [ReplyState.WITHDRAWN]

    def test_a_request_that_waits_is_let_go_and_carries_nothing(
        self, passive: Conversation
    ) -> None:
        question = push(passive, WROTE)
        Message.objects.filter(pk=question.pk).update(
            hold=Hold.WAITING, hold_until=timezone.now() + timedelta(seconds=60)
        )
        turn = lease_turn(passive.pk)
        assert turn is not None
        unfollow(passive)
        question.refresh_from_db()
        assert (question.ended_with, question.passive_text) == (Ending.SUCCESS, "")

        say(turn, ["七天内可以。"], author=Author.BOT)
        withdraw_if_left(passive.pk)
        assert states() == [ReplyState.WITHDRAWN]

    def test_the_request_of_a_newer_question_waits_on(self, passive: Conversation) -> None:
        left_at = ago(5)
        question = push(passive, WROTE)
        push(passive, LEFT, at=left_at)
        question.refresh_from_db()
        assert question.ended_with == Ending.OPEN
