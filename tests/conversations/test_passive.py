"""What the waiting request of a push may say: looked for, released, last; the same again for a
repeat.
"""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from common.deadline import DeadlinePassed
from conversations.models import (
    Author,
    Channel,
    Conversation,
    Ending,
    Hold,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import by_api
from conversations.replies.parts import MESSAGE_BYTES, byte_length
from conversations.replies.passive import (
    PENDING,
    SUCCESS,
    Fetch,
    PassiveReply,
    Phase,
    fetch_replies,
    thinking_text,
)
from conversations.window import ledger
from tests.factories import AccountFactory, ConversationFactory, MessageFactory, ReplyFactory
from wechat.models import ReplyMode

pytestmark = pytest.mark.django_db

LOOK_LINK = "weixin://bizmsgmenu?msgmenucontent=查看回复&msgmenuid=wechatbot-look"
# Of which one message carries one, and two do not fit.
LONG = "长" * 580


@pytest.fixture
def conversation() -> Conversation:
    return ConversationFactory(customer__account=AccountFactory(reply_mode=ReplyMode.PASSIVE))


@pytest.fixture
def api_conversation() -> Conversation:
    return ConversationFactory()


def pushed(conversation: Conversation, **values: object) -> Message:
    until = timezone.now() + timedelta(seconds=4)
    return MessageFactory(
        conversation=conversation, **{"hold": Hold.WAITING, "hold_until": until, **values}
    )


def answered(conversation: Conversation, *texts: str, **values: object) -> Message:
    message = pushed(conversation, state=MessageState.ANSWERED, **values)
    for part, text in enumerate(texts, start=1):
        ReplyFactory(conversation=conversation, message=message, part=part, text=text)
    return message


def waiting(
    conversation: Conversation, text: str, *, minutes_ago: int = 5, **values: object
) -> Reply:
    return ReplyFactory(
        conversation=conversation,
        text=text,
        state=ReplyState.WAITING_FOR_CUSTOMER,
        created_at=timezone.now() - timedelta(minutes=minutes_ago),
        **values,
    )


def told(message: Message, text: str) -> PassiveReply:
    [outcome] = fetch_replies([Fetch(message.pk, "told", text)])
    return outcome


def fetch(message: Message, phase: Phase = "look") -> PassiveReply:
    [outcome] = fetch_replies([Fetch(message.pk, phase)])
    return outcome


def ending_of(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.ended_with, message.passive_text


def states(**which: object) -> list[str]:
    return [reply.state for reply in Reply.objects.filter(**which).order_by("created_at", "pk")]


class TestALook:
    def test_it_finds_nothing_while_the_message_is_being_answered(
        self, conversation: Conversation
    ) -> None:
        message = pushed(conversation, state=MessageState.ANSWERING)
        assert fetch(message) == PENDING
        assert ending_of(message) == (Ending.OPEN, "")

    def test_it_takes_the_answer(self, conversation: Conversation) -> None:
        message = answered(conversation, "七天内可以。")
        assert fetch(message) == PassiveReply("七天内可以。")
        assert ending_of(message) == (Ending.TEXT, "七天内可以。")
        row = Reply.objects.get()
        assert (row.state, row.channel) == (ReplyState.SENT, Channel.PASSIVE)
        assert row.sent_at is not None

    def test_it_says_success_when_there_is_nothing_to_say(self, conversation: Conversation) -> None:
        message = answered(conversation)
        assert fetch(message) == SUCCESS
        assert ending_of(message) == (Ending.SUCCESS, "")

    def test_it_costs_no_quota(self, api_conversation: Conversation) -> None:
        ledger.open_message_window(api_conversation.customer_id, timezone.now())
        fetch(answered(api_conversation, "七天内可以。"))
        api_conversation.customer.refresh_from_db()
        assert api_conversation.customer.message_sends_left == 5

    @pytest.mark.parametrize(
        "state", [ReplyState.SENDING, ReplyState.SENT, ReplyState.WITHDRAWN, ReplyState.UNKNOWN]
    )
    def test_it_does_not_take_what_is_not_ready(
        self, api_conversation: Conversation, state: ReplyState
    ) -> None:
        message = answered(api_conversation, "七天内可以。")
        Reply.objects.update(state=state)
        assert fetch(message) == SUCCESS
        assert states() == [state]


class TestTheEndOfTheHold:
    def test_it_lets_the_api_have_an_answer_that_is_not_there_yet(
        self, api_conversation: Conversation
    ) -> None:
        message = pushed(api_conversation, state=MessageState.ANSWERING)
        assert fetch(message, "release") == SUCCESS
        assert ending_of(message) == (Ending.SUCCESS, "")
        assert message.hold == Hold.RELEASED

    def test_it_takes_an_answer_that_came_at_the_last_moment(
        self, api_conversation: Conversation
    ) -> None:
        message = answered(api_conversation, "七天内可以。")
        assert fetch(message, "release") == PassiveReply("七天内可以。")


class TestTheLastDelivery:
    def test_it_says_how_to_see_an_answer_that_is_not_there_yet(
        self, conversation: Conversation
    ) -> None:
        message = pushed(conversation, state=MessageState.ANSWERING)
        text = thinking_text(conversation.account_id)
        assert fetch(message, "last") == PassiveReply(text)
        assert LOOK_LINK in text
        assert ending_of(message) == (Ending.TEXT, text)

    def test_it_takes_the_answer_when_it_is_there(self, conversation: Conversation) -> None:
        assert fetch(answered(conversation, "七天内可以。"), "last") == PassiveReply("七天内可以。")

    def test_it_brings_what_waits_and_says_that_the_answer_follows(
        self, conversation: Conversation
    ) -> None:
        waiting(conversation, "客服：已经发货。", author=Author.AGENT)
        message = pushed(conversation, state=MessageState.ANSWERING)
        assert (
            fetch(message, "last").text
            == f"客服：已经发货。\n{thinking_text(conversation.account_id)}"
        )


class TestARepeat:
    def test_it_gets_the_same_body_again(self, conversation: Conversation) -> None:
        message = answered(conversation, "七天内可以。")
        first = fetch(message)
        assert fetch(message) == first
        assert fetch(message, "last") == first

    def test_it_gets_success_again(self, api_conversation: Conversation) -> None:
        message = pushed(api_conversation, state=MessageState.ANSWERING)
        fetch(message, "release")
        Message.objects.update(state=MessageState.ANSWERED)
        ReplyFactory(conversation=api_conversation, message=message)
        assert fetch(message) == SUCCESS
        assert states() == [ReplyState.READY]

    def test_two_deliveries_in_one_batch_get_the_same_body(
        self, conversation: Conversation
    ) -> None:
        message = answered(conversation, "七天内可以。")
        outcomes = fetch_replies([Fetch(message.pk, "look"), Fetch(message.pk, "look")])
        assert outcomes == [PassiveReply("七天内可以。")] * 2

    def test_a_look_in_the_same_batch_does_not_hide_the_last_delivery(
        self, conversation: Conversation
    ) -> None:
        message = pushed(conversation, state=MessageState.ANSWERING)
        _look, last = fetch_replies([Fetch(message.pk, "look"), Fetch(message.pk, "last")])
        assert last.text == thinking_text(conversation.account_id)


class TestWhatWaits:
    def test_it_goes_out_with_the_next_push_oldest_first(self, conversation: Conversation) -> None:
        waiting(conversation, "第二段", minutes_ago=4)
        waiting(conversation, "第一段", minutes_ago=5)
        assert fetch(answered(conversation, "新的回答")).text == "第一段\n\n第二段\n\n新的回答"
        assert states() == [ReplyState.SENT] * 3

    def test_it_goes_out_with_a_push_that_has_no_answer_of_its_own(
        self, conversation: Conversation
    ) -> None:
        waiting(conversation, "客服：已经发货。", author=Author.AGENT)
        assert fetch(answered(conversation)).text == "客服：已经发货。"

    def test_as_many_as_fit_go_out_and_a_link_brings_the_rest(
        self, conversation: Conversation
    ) -> None:
        waiting(conversation, "短的一段")
        reply = fetch(answered(conversation, LONG, LONG))
        assert reply.text is not None
        assert reply.text.startswith("短的一段\n\n")
        assert reply.deliver is None
        assert LOOK_LINK in reply.text
        assert byte_length(reply.text) <= MESSAGE_BYTES
        assert states() == [ReplyState.SENT, ReplyState.SENT, ReplyState.WAITING_FOR_CUSTOMER]

    def test_a_long_answer_comes_in_pages(self, conversation: Conversation) -> None:
        pages = [f"{number}{LONG}" for number in range(3)]
        message = answered(conversation, *pages)
        read = []
        while message is not None:
            text = fetch(message).text
            assert text is not None
            assert byte_length(text) <= MESSAGE_BYTES
            read.append(text)
            assert (LOOK_LINK in text) == ("，或回复「查看回复」" in text)
            message = answered(conversation) if LOOK_LINK in text else None
        assert [text[: len(pages[0])] for text in read] == pages
        assert set(states()) == {ReplyState.SENT}

    def test_a_question_of_its_own_joins_the_end(self, conversation: Conversation) -> None:
        waiting(conversation, f"旧{LONG}")
        first = answered(conversation, f"新{LONG}")
        text = fetch(first).text
        assert text is not None
        assert text.startswith("旧")
        assert LOOK_LINK in text
        following = fetch(answered(conversation)).text
        assert following == f"新{LONG}"

    def test_the_api_takes_what_does_not_fit_on_a_verified_account(
        self, api_conversation: Conversation
    ) -> None:
        reply = fetch(answered(api_conversation, LONG, LONG))
        assert reply == PassiveReply(LONG, deliver=api_conversation.pk)
        assert states() == [ReplyState.SENT, ReplyState.READY]

    def test_it_asks_for_no_send_when_all_went_out(self, api_conversation: Conversation) -> None:
        assert fetch(answered(api_conversation, "第一段", "第二段")) == PassiveReply(
            "第一段\n\n第二段"
        )

    def test_another_customers_texts_stay_where_they_are(self, conversation: Conversation) -> None:
        other = waiting(ConversationFactory(customer__account=conversation.account), "给别人的")
        assert fetch(answered(conversation, "给您的")).text == "给您的"
        other.refresh_from_db()
        assert other.state == ReplyState.WAITING_FOR_CUSTOMER

    def test_one_push_of_a_batch_carries_it_and_not_two(self, conversation: Conversation) -> None:
        waiting(conversation, "等着的")
        first, second = answered(conversation, "回答一"), answered(conversation, "回答二")
        outcomes = fetch_replies([Fetch(first.pk, "look"), Fetch(second.pk, "look")])
        assert [outcome.text for outcome in outcomes] == ["等着的\n\n回答一", "回答二"]

    def test_what_was_withdrawn_stays_withdrawn(self, conversation: Conversation) -> None:
        row = waiting(conversation, "机器人的旧回答")
        Reply.objects.filter(pk=row.pk).update(state=ReplyState.WITHDRAWN)
        assert fetch(answered(conversation)) == SUCCESS


class TestWhatWasToldInstead:
    """The request had to go before the database could decide."""

    def test_a_link_is_noted_and_the_answer_that_comes_later_waits_for_the_tap(
        self, conversation: Conversation
    ) -> None:
        message = pushed(conversation, state=MessageState.ANSWERING)
        assert told(message, "点此查看") == PassiveReply("点此查看")
        assert ending_of(message) == (Ending.TEXT, "点此查看")
        assert fetch(message) == PassiveReply("点此查看")

    def test_an_answer_that_lies_ready_waits_for_the_tap(self, conversation: Conversation) -> None:
        message = answered(conversation, "七天内可以。")
        told(message, "点此查看")
        assert states() == [ReplyState.WAITING_FOR_CUSTOMER]

    def test_texts_that_were_taken_for_read_wait_for_the_tap(
        self, conversation: Conversation
    ) -> None:
        waiting(conversation, "客服的回复")
        message = answered(conversation, "七天内可以。")
        read = answered(conversation, "早先读到的。")
        fetch(read)
        Reply.objects.filter(text="客服的回复").update(state=ReplyState.WAITING_FOR_CUSTOMER)
        assert fetch(message) == PassiveReply("客服的回复\n\n七天内可以。")
        told(message, "点此查看")
        assert ending_of(message) == (Ending.TEXT, "点此查看")
        unread = Reply.objects.filter(
            state=ReplyState.WAITING_FOR_CUSTOMER, channel=Channel.NONE, sent_at=None
        )
        assert set(unread.values_list("text", flat=True)) == {"客服的回复", "七天内可以。"}
        assert (
            fetch(pushed(conversation, state=MessageState.ANSWERED)).text
            == "客服的回复\n\n七天内可以。"
        )

    def test_the_api_brings_on_a_verified_account_what_was_taken_for_read(
        self, api_conversation: Conversation
    ) -> None:
        message = answered(api_conversation, "七天内可以。")
        fetch(message)
        assert told(message, "") == PassiveReply("", api_conversation.pk)
        assert ending_of(message) == (Ending.SUCCESS, "")
        assert states() == [ReplyState.READY]

    def test_nothing_changes_where_the_same_was_noted(self, conversation: Conversation) -> None:
        message = pushed(conversation, state=MessageState.ANSWERING)
        text = fetch(message, "last").text
        assert text is not None
        ReplyFactory(conversation=conversation, message=message, text="七天内可以。")
        assert told(message, text) == PassiveReply(text)
        assert states() == [ReplyState.READY]

    def test_the_bot_says_nothing_again_where_a_person_serves_by_now(
        self, conversation: Conversation
    ) -> None:
        message = answered(conversation, "七天内可以。")
        Reply.objects.update(owner_version=conversation.owner_version)
        fetch(message)
        Conversation.objects.update(owner_version=conversation.owner_version + 1)
        told(message, "点此查看")
        assert states() == [ReplyState.SENT]

    def test_a_message_that_is_gone_harms_nobody(self, conversation: Conversation) -> None:
        message = pushed(conversation)
        Message.objects.all().delete()
        assert told(message, "点此查看") == PassiveReply("点此查看")


def test_nothing_is_taken_after_the_deadline(conversation: Conversation) -> None:
    message = answered(conversation, "七天内可以。")
    with pytest.raises(DeadlinePassed):
        fetch_replies([Fetch(message.pk, "last")], time.monotonic())
    assert ending_of(message) == (Ending.OPEN, "")
    assert states() == [ReplyState.READY]


def test_the_api_leaves_to_a_waiting_request_what_it_may_still_carry(
    api_conversation: Conversation,
) -> None:
    answered(api_conversation, "七天内可以。")
    ledger.open_message_window(api_conversation.customer_id, timezone.now())
    assert by_api.claim_next(api_conversation.pk) is None
    Message.objects.update(hold_until=timezone.now() - timedelta(seconds=1))
    assert by_api.claim_next(api_conversation.pk) is not None
