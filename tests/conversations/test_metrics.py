"""Sends, as they are counted."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from conversations.metrics import count_sends
from conversations.models import Author, Channel, Conversation, ReplyState
from conversations.replies import by_api
from conversations.replies.passive import Fetch, fetch_replies
from conversations.replies.say import say
from conversations.window import ledger
from tests.counting import counted
from tests.factories import ConversationFactory, ReplyFactory, held_turn
from tests.worlds.api_stub import ApiStub
from wechat.errors import (
    ApiNotGranted,
    CustomerRefuses,
    OutcomeUnknown,
    WeChatError,
    WeChatUnreachable,
)

# What is counted is what was committed.
pytestmark = pytest.mark.django_db(transaction=True)


def sends(channel: Channel, state: ReplyState) -> float:
    return counted("sends_total", channel=str(channel), state=str(state))


@pytest.fixture
def conversation() -> Conversation:
    conversation = ConversationFactory()
    ledger.open_message_window(conversation.customer_id, timezone.now())
    return conversation


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, ReplyState.SENT),
        (OutcomeUnknown(), ReplyState.UNKNOWN),
        (WeChatUnreachable(), ReplyState.READY),
        (ApiNotGranted(), ReplyState.WAITING_FOR_CUSTOMER),
        (CustomerRefuses(), ReplyState.FAILED),
    ],
)
def test_a_send_counts_once_by_the_state_that_it_led_to(
    conversation: Conversation, wechat: ApiStub, error: WeChatError | None, state: ReplyState
) -> None:
    reply = ReplyFactory(conversation=conversation)
    before = sends(Channel.API, state)
    wechat.errors = [error]
    by_api.deliver(conversation.pk, limit=1)
    reply.refresh_from_db()
    assert reply.state == state
    assert sends(Channel.API, state) == before + 1


def test_a_text_that_a_push_carried_counts_as_sent() -> None:
    turn = held_turn(passive=True)
    say(turn, ["七天内可以。"], author=Author.BOT)
    before = sends(Channel.PASSIVE, ReplyState.SENT)
    for _delivery in range(2):
        fetch_replies([Fetch(turn.message.pk, "look")])
    assert sends(Channel.PASSIVE, ReplyState.SENT) == before + 1


def test_what_was_not_committed_does_not_count() -> None:
    before = sends(Channel.API, ReplyState.FAILED)
    with transaction.atomic():
        count_sends(Channel.API, ReplyState.FAILED)
        transaction.set_rollback(True)
    assert sends(Channel.API, ReplyState.FAILED) == before
