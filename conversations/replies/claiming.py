"""Which text of a conversation goes out next by the API, and whose it is."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from common import clock
from common.database_threads import database_work
from conversations.models import (
    Author,
    Channel,
    Conversation,
    Customer,
    Hold,
    Message,
    Reply,
    ReplyState,
)
from conversations.replies import leaving, states
from conversations.replies.owner import lock_conversation
from conversations.replies.routes import route_of_id
from conversations.sql import CONVERSATION, CUSTOMER, MESSAGE, REPLY, Joined, quoted, read
from conversations.turns.leases import new_claim
from conversations.window import ledger
from conversations.window.ledger import KEPT_FOR_A_PERSON, SENDING_LEASE

# Of the five sends after a message an answer of the bot takes three at most.
BOT_SENDS_PER_ANSWER = 3


def claim_next(conversation_id: int) -> Reply | None:
    """The conversation's next row, now SENDING and ours; None when nothing may go out now.

    The rows go in order: one that is being sent, or waits for its next try, holds up those behind
    it. The conversation is locked first: of two deliveries one waits here and then sees what the
    other took, and an owner cannot change in between.
    """
    return _claim_next(conversation_id, new_claim())


@database_work
def _claim_next(conversation_id: int, claim_id: str) -> Reply | None:
    now = clock.now()
    with transaction.atomic():
        owner_version = lock_conversation(conversation_id)
        while (reply := first_unsent_reply(conversation_id)) is not None:
            if reply.state == ReplyState.SENDING:
                # Ours: the COMMIT of an earlier run got through, its OK was lost.
                return reply if reply.claim == claim_id else None
            if not reply.conversation.customer.subscribed:
                leaving.withdraw(conversation_id)
                return None
            if reply.due_at > now or _is_held(reply, now):
                return None
            if reply.owner_version is not None and reply.owner_version != owner_version:
                states.withdraw(reply)
            elif (closed_for := _rows_without_window(reply, now)) is not None:
                states.hold_back(closed_for)
            else:
                return _take(reply, claim_id, now)
    return None


def _take(reply: Reply, claim_id: str, now: datetime) -> Reply | None:
    """A waiting request may have claimed the row for its passive reply meanwhile."""
    if not states.claim(reply, claim_id, now + SENDING_LEASE):
        return None
    ledger.spend(reply.conversation.customer, now)
    return reply


def _is_held(reply: Reply, now: datetime) -> bool:
    """A request may still carry it passively, which costs no quota."""
    message = reply.message
    if message is None or message.hold != Hold.WAITING or message.hold_until is None:
        return False
    return message.hold_until > now and not message.ended_with


def _rows_without_window(reply: Reply, now: datetime) -> QuerySet[Reply] | None:
    """The rows that have to wait for the customer, this one among them; None: it may go out now."""
    ready = Reply.objects.filter(conversation_id=reply.conversation_id, state=ReplyState.READY)
    left = ledger.sends_left(reply.conversation.customer, now)
    if route_of_id(reply.conversation.account_id).waits_for_push or left <= 0:
        return ready
    if reply.author != Author.BOT:
        return None
    if left <= KEPT_FOR_A_PERSON:
        return ready.filter(author=Author.BOT)
    if bot_sends_left(reply) <= 0:
        return ready.filter(author=Author.BOT, message=reply.message)
    return None


def bot_sends_left(reply: Reply) -> int:
    """What one answer may still take. The customer's next push opens a new window for what was left
    of it.
    """
    sent = count_sent_by_api(reply.message_id)
    if sent >= BOT_SENDS_PER_ANSWER:
        by_api = Reply.objects.filter(message=reply.message, channel=Channel.API)
        pushes = Message.objects.filter(conversation_id=reply.conversation_id)
        sent = by_api.filter(sent_at__gte=pushes.aggregate(last=Max("received_at"))["last"]).count()
    return BOT_SENDS_PER_ANSWER - sent


_UNSENT = Joined(
    r=(
        Reply,
        "id conversation_id message_id part author owner_version text state tries due_at claim",
    ),
    co=(Conversation, "id account_id customer_id"),
    cu=(Customer, " ".join(("id", "openid", *ledger.COLUMNS))),
    m=(Message, "id hold hold_until ended_with"),
)
_FIRST_UNSENT = (
    f"SELECT {_UNSENT.columns} FROM {REPLY} r"
    f" JOIN {CONVERSATION} co ON co.id = r.conversation_id"
    f" JOIN {CUSTOMER} cu ON cu.id = co.customer_id"
    f" LEFT JOIN {MESSAGE} m ON m.id = r.message_id"
    f" WHERE r.conversation_id = %s AND r.state IN ({quoted(ReplyState.READY, ReplyState.SENDING)})"
    " ORDER BY r.created_at, r.id LIMIT 1"
)


def first_unsent_reply(conversation_id: int) -> Reply | None:
    """The oldest reply that is ready or being sent, with its message, conversation and customer."""
    found = read(_FIRST_UNSENT, conversation_id)
    if not found:
        return None
    reply, conversation, customer, message = _UNSENT.instances(found[0])
    reply.conversation, reply.message = conversation, message
    conversation.customer = customer
    return reply


_COUNT_SENT = (
    f"SELECT COUNT(*) FROM {REPLY} WHERE message_id = %s AND channel = {quoted(Channel.API)}"
)


def count_sent_by_api(message_id: int | None) -> int:
    return int(read(_COUNT_SENT, message_id)[0][0])
