"""Taking work: one holder per conversation, messages in the customer's order, and what a dead
holder leaves.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conversations.models import Author, Conversation, Customer, Message, MessageState, Reply
from conversations.replies.say import say
from conversations.turns import leases
from conversations.turns.arriving import attach
from conversations.turns.leases import (
    Turn,
    attach_and_lease,
    give_back,
    lease_next,
    lease_turn,
    new_claim,
    renew_all,
)
from tests.factories import AccountFactory, ConversationFactory, MessageFactory, held_turn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_in_hand", {})


@pytest.fixture
def conversation() -> Conversation:
    return ConversationFactory()


def written(
    conversation: Conversation, text: str = "怎么退货", *, seconds_ago: int = 0, **values: object
) -> Message:
    moment = timezone.now().replace(microsecond=0) - timedelta(seconds=seconds_ago)
    return MessageFactory(conversation=conversation, text=text, sent_at=moment, **values)


def taken(conversation: Conversation) -> Turn:
    turn = lease_turn(conversation.pk)
    assert turn is not None
    return turn


def answer(turn: Turn, text: str = "七天内可以。") -> None:
    say(turn, [text], author=Author.BOT)


def let_lease_run_out(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_it_gives_a_new_customer_a_conversation() -> None:
    account = AccountFactory()
    messages = [
        MessageFactory(conversation=None, account=account, openid="oNew", text=text)
        for text in "一二"
    ]
    attach([message.pk for message in messages])
    customer = Customer.objects.get(account=account, openid="oNew")
    assert {message.conversation for message in Message.objects.all()} == {customer.conversation}


def test_it_keeps_customers_apart_whose_openids_differ_only_in_case() -> None:
    account = AccountFactory()
    messages = [
        MessageFactory(conversation=None, account=account, openid=openid)
        for openid in ("oAbC", "oaBc")
    ]
    assert len(attach([message.pk for message in messages])) == 2


def test_it_keeps_the_same_openid_of_two_accounts_apart() -> None:
    messages = [
        MessageFactory(conversation=None, account=AccountFactory(), openid="oSame")
        for _ in range(2)
    ]
    assert len(attach([message.pk for message in messages])) == 2


def test_it_notes_when_the_customer_last_wrote(conversation: Conversation) -> None:
    newest = timezone.now().replace(microsecond=0)
    for moment in (newest - timedelta(minutes=2), newest, newest - timedelta(minutes=1)):
        message = MessageFactory(
            conversation=None,
            account=conversation.account,
            openid=conversation.customer.openid,
            sent_at=moment,
        )
        attach([message.pk])
    conversation.refresh_from_db()
    assert conversation.last_message_at == newest


def test_it_takes_a_message_in_hand_as_it_comes() -> None:
    account = AccountFactory()
    message = MessageFactory(conversation=None, account=account, openid="oNew")
    _, turn = attach_and_lease(message, new_claim())
    assert turn is not None
    assert turn.message.pk == message.pk
    assert turn.customer.openid == "oNew"
    assert turn.account.account_id == account.pk
    assert Message.objects.get().state == MessageState.ANSWERING


def test_it_answers_in_the_order_in_which_the_customer_wrote(conversation: Conversation) -> None:
    written(conversation, "第二句", seconds_ago=30)
    written(conversation, "第一句", seconds_ago=60)
    turn = taken(conversation)
    assert turn.message.text == "第一句"
    answer(turn)
    following = lease_next(turn)
    assert following is not None
    assert following.message.text == "第二句"


def test_it_orders_messages_of_one_second_by_id(conversation: Conversation) -> None:
    first, second = sorted(
        (written(conversation), written(conversation)), key=lambda message: message.pk
    )
    turn = taken(conversation)
    assert turn.message.pk == first.pk
    answer(turn)
    following = lease_next(turn)
    assert following is not None
    assert following.message.pk == second.pk


def test_it_sees_a_wish_for_a_human_before_the_others(conversation: Conversation) -> None:
    written(conversation, "怎么退货", seconds_ago=9)
    written(conversation, "转人工", wants_human=True)
    assert taken(conversation).message.text == "转人工"


def test_it_finds_nothing_to_take_where_all_is_answered(conversation: Conversation) -> None:
    written(conversation, state=MessageState.ANSWERED)
    assert lease_turn(conversation.pk) is None
    written(conversation)
    assert taken(conversation).message.state == MessageState.ANSWERING


def test_it_lets_nobody_take_a_conversation_that_is_held(conversation: Conversation) -> None:
    written(conversation)
    taken(conversation)
    written(conversation, "还有一句")
    assert lease_turn(conversation.pk) is None


def test_it_gives_a_message_to_another_when_the_lease_has_run_out(
    conversation: Conversation,
) -> None:
    written(conversation)
    taken(conversation)
    let_lease_run_out(conversation)
    again = taken(conversation)
    assert again.message.attempt == 2


def test_it_keeps_the_answer_of_who_lost_the_lease(conversation: Conversation) -> None:
    written(conversation)
    slow = taken(conversation)
    let_lease_run_out(conversation)
    quick = taken(conversation)
    with pytest.raises(leases.LeaseLost):
        answer(slow, "迟到的回答")
    answer(quick, "及时的回答")
    assert [reply.text for reply in Reply.objects.all()] == ["及时的回答"]


def test_it_does_not_let_a_thread_that_stalled_pass_for_the_one_that_took_over(
    conversation: Conversation,
) -> None:
    """Both are of the same process, and the second holds the conversation now."""
    written(conversation, "第一句", seconds_ago=1)
    stalled = taken(conversation)
    let_lease_run_out(conversation)
    current = taken(conversation)
    written(conversation, "第二句")
    assert lease_next(stalled) is None
    give_back(stalled)
    assert lease_turn(conversation.pk) is None
    assert current.message.attempt == Message.objects.get(pk=current.message.pk).attempt


def test_it_takes_no_message_that_was_answered_while_it_looked(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who lost the lease ends the message between our look and our claim: it must not be
    answered twice.
    """
    message = written(conversation)
    first_look = leases.first_open_message

    def look_then_lose(conversation_id: int) -> object:
        found = first_look(conversation_id)
        Message.objects.filter(pk=message.pk).update(state=MessageState.ANSWERED)
        return found

    monkeypatch.setattr(leases, "first_open_message", look_then_lose)
    assert lease_turn(conversation.pk) is None
    message.refresh_from_db()
    assert (message.state, message.attempt) == (MessageState.ANSWERED, 0)


def test_it_gives_back_what_needs_a_model_without_counting_the_attempt(
    conversation: Conversation,
) -> None:
    written(conversation)
    give_back(taken(conversation))
    message = Message.objects.get()
    assert (message.state, message.attempt) == (MessageState.RECEIVED, 0)
    assert taken(conversation).message.attempt == 1


def test_it_sees_a_message_that_came_during_the_answer_before_it_lets_go(
    conversation: Conversation,
) -> None:
    written(conversation, seconds_ago=3)
    turn = taken(conversation)
    late = written(conversation, "还有一句")
    answer(turn)
    following = lease_next(turn)
    assert following is not None
    assert following.message.pk == late.pk


def test_it_leaves_the_conversation_free_when_nothing_is_left(conversation: Conversation) -> None:
    written(conversation)
    turn = taken(conversation)
    answer(turn)
    assert lease_next(turn) is None
    written(conversation, "过了一会儿")
    assert taken(conversation).message.text == "过了一会儿"


def test_it_is_worn_out_after_three_attempts(conversation: Conversation) -> None:
    written(conversation)
    worn_out = []
    for _ in range(4):
        worn_out.append(taken(conversation).is_worn_out)
        let_lease_run_out(conversation)
    assert worn_out == [False, False, False, True]


def test_it_renews_all_that_is_in_hand_by_one_update(
    django_assert_num_queries: DjangoAssertNumQueries, conversation: Conversation
) -> None:
    turns = [held_turn() for _ in range(3)]
    Conversation.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
    with django_assert_num_queries(1):
        assert renew_all() == 3
    for turn in turns:
        row = Conversation.objects.get(pk=turn.conversation.pk)
        assert row.lease_until > timezone.now() + timedelta(seconds=15)


def test_it_does_not_renew_what_it_gave_up() -> None:
    answered, failed, needs_model = held_turn(), held_turn(), held_turn()
    answer(answered)
    lease_next(answered)
    leases.drop(failed)
    give_back(needs_model)
    assert renew_all() == 0


def test_it_renews_only_the_lease_that_stands(conversation: Conversation) -> None:
    written(conversation)
    stalled = taken(conversation)
    let_lease_run_out(conversation)
    taken(conversation)
    leases.drop(stalled)
    assert renew_all() == 1


def test_it_does_not_renew_what_another_process_took(conversation: Conversation) -> None:
    written(conversation)
    taken(conversation)
    Conversation.objects.update(lease_holder="another process")
    assert renew_all() == 0


def test_it_reads_the_owner_anew_when_it_is_asked_to() -> None:
    turn = held_turn()
    Conversation.objects.update(owner="agent", owner_version=4)
    assert leases.refreshed(turn).owner_version == 4
    assert turn.conversation.is_with_agent


def test_it_does_not_renew_what_was_given_free_with_the_answer() -> None:
    """The first part may still be on its way to WeChat when the heart beats."""
    answered = held_turn()
    answer(answered)
    assert renew_all() == 0
    written(answered.conversation, "过了一会儿")
    assert taken(answered.conversation).message.text == "过了一会儿"
