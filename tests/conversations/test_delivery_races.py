"""Two processes that deliver the same conversation at once: each text goes out once."""

from __future__ import annotations

import pytest

from conversations.models import Hold, Message, MessageState, Reply, ReplyState
from conversations.replies import by_api
from conversations.replies.passive import Fetch, fetch_replies
from conversations.window import ledger
from tests.at_once import at_once
from tests.factories import MessageFactory, ReplyFactory

pytestmark = pytest.mark.django_db(transaction=True)


def answered_message() -> Message:
    message = MessageFactory(state=MessageState.ANSWERED, hold=Hold.RELEASED)
    ledger.open_message_window(message.conversation.customer_id, message.sent_at)
    ReplyFactory(conversation=message.conversation, message=message)
    return message


def test_it_lets_one_of_many_claim_a_text() -> None:
    for _ in range(10):
        message = answered_message()
        won = at_once(*[lambda pk=message.conversation_id: by_api.claim_next(pk)] * 4)
        assert len([reply for reply in won if reply is not None]) == 1
        assert message.replies.get().state == ReplyState.SENDING


def test_it_lets_the_waiting_request_or_the_api_have_a_text_but_not_both() -> None:
    for _ in range(10):
        message = answered_message()
        claimed, [passive] = at_once(
            lambda pk=message.conversation_id: by_api.claim_next(pk),
            lambda pk=message.pk: fetch_replies([Fetch(pk, "look")]),
        )
        assert (claimed is not None) != bool(passive.text)
        assert Reply.objects.get(message=message).state == (
            ReplyState.SENDING if claimed else ReplyState.SENT
        )
