"""The same work wanted by several processes at the same moment: real threads, real transactions."""

from __future__ import annotations

import pytest

from conversations.models import Author, Conversation, Customer, Message, MessageState
from conversations.replies.say import say
from conversations.turns.arriving import attach
from conversations.turns.leases import Turn, attach_and_lease, lease_next, lease_turn, new_claim
from tests.at_once import at_once
from tests.factories import AccountFactory, ConversationFactory, MessageFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_lets_one_of_many_take_a_conversation() -> None:
    for _ in range(5):
        message = MessageFactory()
        turns = at_once(*[lambda pk=message.conversation_id: lease_turn(pk)] * 4)
        assert [turn.message.pk for turn in turns if turn is not None] == [message.pk]


def test_it_makes_one_conversation_of_first_messages_that_come_at_once() -> None:
    for number in range(5):
        account, openid = AccountFactory(), f"oNew{number}"
        messages = [
            MessageFactory(conversation=None, account=account, openid=openid) for _ in range(4)
        ]
        found = at_once(*(lambda pk=message.pk: attach([pk]) for message in messages))
        assert Customer.objects.filter(account=account).count() == 1
        assert found == [[Conversation.objects.get(account=account).pk]] * 4


def test_it_forgets_no_message_that_comes_while_the_conversation_is_let_go() -> None:
    """Either the holder sees it before it lets go, or whoever brought it finds the conversation
    free.
    """
    conversation = ConversationFactory()

    def bring() -> Turn | None:
        message = MessageFactory(
            conversation=None, account=conversation.account, openid=conversation.customer.openid
        )
        return attach_and_lease(message, new_claim())[1]

    def answered(turn: Turn) -> Turn | None:
        say(turn, [], author=Author.SYSTEM)
        return lease_next(turn)

    MessageFactory(conversation=conversation)
    turn = lease_turn(conversation.pk)
    for _ in range(10):
        assert turn is not None
        turns = [
            found for found in at_once(lambda turn=turn: answered(turn), bring) if found is not None
        ]
        assert len(turns) == 1
        turn = turns[0]
    assert Message.objects.filter(state=MessageState.ANSWERING).count() == 1
    assert not Message.objects.filter(state=MessageState.RECEIVED).exists()
