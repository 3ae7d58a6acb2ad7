"""Sending replies by the customer-service API, one after the other, in the order they were written.

The only place that turns an error of WeChat into the state of a row. A retried delivery never asks a model again.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from common.database_threads import database_work
from conversations import ledger
from conversations.links import look_link
from conversations.models import (
    Author,
    Channel,
    Customer,
    Hold,
    Reply,
    ReplyState,
)
from conversations.parts import MESSAGE_BYTES, byte_length, cut
from conversations.texts import say_text
from wechat import accounts
from wechat.client import WeChatAPI
from wechat.errors import (
    ApiNotGranted,
    NotFollowing,
    OutcomeUnknown,
    QuotaUsedUp,
    TextTooLong,
    WeChatError,
    WindowClosed,
)

logger = logging.getLogger(__name__)

# WeChat keeps no order of messages that come faster.
PAUSE_SECONDS = 0.5
SENDING_LEASE = timedelta(seconds=30)
# Growing pauses between tries, in seconds; after the last the row is FAILED with its reason.
RETRY_PAUSES = (2, 5, 15, 60, 180)
# Of the five sends after a message the bot takes three and leaves the last for a person.
BOT_SENDS_PER_ANSWER = 3
KEPT_FOR_A_PERSON = 1


def deliver(conversation_id: int, *, limit: int | None = None) -> int:
    """Send what is due in this conversation, at most `limit` texts; returns how many WeChat took."""
    sent = 0
    while (limit is None or sent < limit) and (reply := claim_next(conversation_id)) is not None:
        if sent:
            time.sleep(PAUSE_SECONDS)
        sent += send(reply)
    return sent


@database_work
def has_more(conversation_id: int) -> bool:
    return Reply.objects.filter(conversation_id=conversation_id, state=ReplyState.READY).exists()


@database_work
def claim_next(conversation_id: int) -> Reply | None:
    """The conversation's next row, now SENDING and ours; None when nothing may go out now.

    The rows go in order: one that is being sent, or waits for its next try, holds up those behind it.
    """
    now = timezone.now()
    with transaction.atomic():
        reply = (
            Reply.objects.filter(conversation_id=conversation_id, state__in=(ReplyState.READY, ReplyState.SENDING))
            .select_related("conversation__customer", "conversation__account", "message")
            .order_by("created_at", "pk")
            .first()
        )
        if reply is None or reply.state == ReplyState.SENDING or reply.due_at > now or _is_held(reply, now):
            return None
        if not _window_allows(reply, now):
            _wait_for_customer(conversation_id)
            return None
        rows = Reply.objects.filter(pk=reply.pk, state=ReplyState.READY)
        if reply.owner_version is not None:
            rows = rows.filter(conversation__owner_version=reply.owner_version)
        won = rows.update(state=ReplyState.SENDING, lease_until=now + SENDING_LEASE, tries=reply.tries + 1)
        if not won:
            return None
        ledger.spend(reply.conversation.customer, now)
    reply.tries += 1
    return reply


def _is_held(reply: Reply, now: datetime) -> bool:
    """A request may still carry it passively, which costs no quota."""
    message = reply.message
    if message is None or message.hold != Hold.WAITING or message.hold_until is None:
        return False
    return message.hold_until > now and not message.ended_with


def _window_allows(reply: Reply, now: datetime) -> bool:
    if not reply.conversation.account.may_send:
        return False
    left = reply.conversation.customer.sends_left(now)
    if reply.author != Author.BOT:
        return left > 0
    return left > KEPT_FOR_A_PERSON and _bot_sends_left(reply) > 0


def _bot_sends_left(reply: Reply) -> int:
    by_api = Reply.objects.filter(message=reply.message, channel=Channel.API).count()
    return BOT_SENDS_PER_ANSWER - by_api


def _wait_for_customer(conversation_id: int) -> None:
    Reply.objects.filter(conversation_id=conversation_id, state=ReplyState.READY).update(
        state=ReplyState.WAITING_FOR_CUSTOMER
    )


def send(reply: Reply) -> bool:
    """Send one claimed row and write down what became of it."""
    try:
        _send_text(reply)
    except WeChatError as error:
        record_error(reply, error)
        return False
    record_sent(reply)
    return True


def _send_text(reply: Reply) -> None:
    api = WeChatAPI(reply.conversation.account)
    openid = reply.conversation.customer.openid
    text = _with_link_to_the_rest(reply)
    try:
        api.send_text(openid, text)
    except TextTooLong:
        # WeChat's limit is not published. Halves are surely short enough; they cost one send more.
        for piece in cut(text, byte_length(text) // 2 + 8):
            api.send_text(openid, piece)


@database_work
def _with_link_to_the_rest(reply: Reply) -> str:
    """The last part that may go out now says how to get the rest."""
    now = timezone.now()
    if reply.author != Author.BOT or not _parts_behind(reply).exists():
        return reply.text
    # This row is SENDING without a channel yet and has been taken off the ledger, so both counts are of what follows.
    customer = Customer.objects.get(pk=reply.conversation.customer_id)
    if _bot_sends_left(reply) > 1 and customer.sends_left(now) > KEPT_FOR_A_PERSON:
        return reply.text
    account_id = reply.conversation.account_id
    link = look_link(say_text("more_link", account_id))
    longer = f"{reply.text}\n{say_text('more', account_id, link=link)}"
    return longer if byte_length(longer) <= MESSAGE_BYTES else reply.text


@database_work
def record_sent(reply: Reply) -> None:
    Reply.objects.filter(pk=reply.pk, state=ReplyState.SENDING).update(
        state=ReplyState.SENT, channel=Channel.API, sent_at=timezone.now(), reason=""
    )


@database_work
def record_error(reply: Reply, error: WeChatError) -> None:
    """The one place where an error becomes a state."""
    logger.warning("reply %s was not sent: %s", reply.pk, error)
    rows = Reply.objects.filter(pk=reply.pk, state=ReplyState.SENDING)
    reason = str(error)[:200]
    with transaction.atomic():
        match error:
            case OutcomeUnknown():
                rows.update(state=ReplyState.UNKNOWN, channel=Channel.API, reason=reason)
            case WindowClosed() | QuotaUsedUp():
                ledger.close(reply.conversation.customer)
                rows.update(state=ReplyState.WAITING_FOR_CUSTOMER, reason=reason)
                _wait_for_customer(reply.conversation_id)
            case ApiNotGranted():
                rows.update(state=ReplyState.WAITING_FOR_CUSTOMER, reason=reason)
                _wait_for_customer(reply.conversation_id)
                accounts.turn_passive(reply.conversation.account_id)
            case WeChatError(try_again=True) if reply.tries <= len(RETRY_PAUSES):
                due_at = timezone.now() + timedelta(seconds=RETRY_PAUSES[reply.tries - 1])
                rows.update(state=ReplyState.READY, due_at=due_at, reason=reason)
            case _:
                if isinstance(error, NotFollowing):
                    Customer.objects.filter(pk=reply.conversation.customer_id).update(subscribed=False)
                rows.update(state=ReplyState.FAILED, reason=reason)
                _fail_parts_behind(reply, reason)


def _fail_parts_behind(reply: Reply, reason: str) -> None:
    """The second half of an answer without the first says nothing, or something false."""
    if reply.message is not None:
        _parts_behind(reply).update(state=ReplyState.FAILED, reason=reason)


def _parts_behind(reply: Reply) -> QuerySet[Reply]:
    return Reply.objects.filter(message=reply.message, part__gt=reply.part, state=ReplyState.READY)
