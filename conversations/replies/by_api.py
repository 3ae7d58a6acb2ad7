"""Sending replies by the customer-service API, one after the other, in the order they were written.

The only place that turns an error of WeChat into the state of a row. A retried delivery never asks
a model again.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

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
from conversations.replies.links import look_link
from conversations.replies.parts import MESSAGE_BYTES, byte_length, cut
from conversations.sql import (
    CONVERSATION,
    CUSTOMER,
    MESSAGE,
    REPLY,
    Joined,
    from_database,
    lock_conversation,
    read,
    run,
    to_database,
)
from conversations.texts import say_text
from conversations.window import ledger
from conversations.window.ledger import KEPT_FOR_A_PERSON, PAUSE_SECONDS, SENDING_LEASE
from wechat import accounts
from wechat.client import WeChatAPI, api_of
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

# Growing pauses between tries, in seconds; after the last the row is FAILED with its reason.
RETRY_PAUSES = (2, 5, 15, 60, 180)
# Of the five sends after a message an answer of the bot takes three at most.
BOT_SENDS_PER_ANSWER = 3


def deliver(conversation_id: int, *, limit: int | None = None) -> int:
    """Send what is due in this conversation, at most `limit` texts; returns
    how many WeChat took.
    """
    sent = 0
    while limit is None or sent < limit:
        time.sleep(_pause_left(conversation_id))
        reply = claim_next(conversation_id)
        if reply is None:
            break
        sent += send(reply)
    return sent


@database_work
def has_more(conversation_id: int) -> bool:
    return has_ready_reply(conversation_id)


@database_work
def _pause_left(conversation_id: int) -> float:
    """The first part may have gone out a moment ago, from another process or as a passive reply."""
    earliest = clock.now() - timedelta(seconds=PAUSE_SECONDS)
    last = last_sent(conversation_id, earliest)
    return (
        0.0
        if last is None
        else float(min(max((last - earliest).total_seconds(), 0), PAUSE_SECONDS))
    )


@database_work
def claim_next(conversation_id: int) -> Reply | None:
    """The conversation's next row, now SENDING and ours; None when nothing may go out now.

    The rows go in order: one that is being sent, or waits for its next try, holds up those behind
    it. The conversation is locked first: of two deliveries one waits here and then sees what the
    other took, and an owner cannot change in between.
    """
    now = clock.now()
    with transaction.atomic():
        owner_version = lock_conversation(conversation_id)
        while (reply := first_unsent_reply(conversation_id)) is not None:
            if reply.state == ReplyState.SENDING or reply.due_at > now or _is_held(reply, now):
                return None
            if reply.owner_version is not None and reply.owner_version != owner_version:
                Reply.objects.filter(pk=reply.pk).update(state=ReplyState.WITHDRAWN)
            elif (closed_for := _rows_without_window(reply, now)) is not None:
                closed_for.update(state=ReplyState.WAITING_FOR_CUSTOMER)
            else:
                return _take(reply, now)
    return None


def _take(reply: Reply, now: datetime) -> Reply | None:
    """A waiting request may have claimed the row for its passive reply meanwhile."""
    reply.tries += 1
    if not start_sending(reply.pk, reply.tries, now + SENDING_LEASE):
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
    left = reply.conversation.customer.sends_left(now)
    if not accounts.may_send(reply.conversation.account_id) or left <= 0:
        return ready
    if reply.author != Author.BOT:
        return None
    if left <= KEPT_FOR_A_PERSON:
        return ready.filter(author=Author.BOT)
    if _bot_sends_left(reply) <= 0:
        return ready.filter(author=Author.BOT, message=reply.message)
    return None


def _bot_sends_left(reply: Reply) -> int:
    """What one answer may still take. The customer's next push opens a new window for what was left
    of it.
    """
    sent = count_sent_by_api(reply.message_id)
    if sent >= BOT_SENDS_PER_ANSWER:
        by_api = Reply.objects.filter(message=reply.message, channel=Channel.API)
        pushes = Message.objects.filter(conversation_id=reply.conversation_id)
        sent = by_api.filter(sent_at__gte=pushes.aggregate(last=Max("received_at"))["last"]).count()
    return BOT_SENDS_PER_ANSWER - sent


def _wait_for_customer(conversation_id: int) -> None:
    Reply.objects.filter(conversation_id=conversation_id, state=ReplyState.READY).update(
        state=ReplyState.WAITING_FOR_CUSTOMER
    )


def send(reply: Reply, *, is_alone: bool = False) -> bool:
    """Send one claimed row and write down what became of it. `is_alone`: its answer has no further
    parts.
    """
    try:
        _send_text(reply, reply.text if is_alone else _with_link_to_the_rest(reply))
    except WeChatError as error:
        record_error(reply, error)
        return False
    record_sent(reply)
    return True


def _send_text(reply: Reply, text: str) -> None:
    api = api_of(accounts.by_id(reply.conversation.account_id))
    openid = reply.conversation.customer.openid
    try:
        api.send_text(openid, text)
    except TextTooLong:
        _send_pieces(api, reply, text)


def _send_pieces(api: WeChatAPI, reply: Reply, text: str) -> None:
    """WeChat's limit is not published. Halves are surely short enough; they cost one send more.

    A row of which a piece went out is never sent again, so every failure after the first is one of
    unknown outcome.
    """
    openid = reply.conversation.customer.openid
    first, *others = cut(text, byte_length(text) // 2 + 8)
    api.send_text(openid, first)
    for piece in others:
        time.sleep(PAUSE_SECONDS)
        _spend_one_more(reply)
        try:
            api.send_text(openid, piece)
        except WeChatError as error:
            raise OutcomeUnknown(
                error.code, f"only the beginning was sent: {error.message}", error.rid
            ) from error


@database_work
def _spend_one_more(reply: Reply) -> None:
    ledger.spend(reply.conversation.customer, clock.now())


@database_work
def _with_link_to_the_rest(reply: Reply) -> str:
    """The last part that may go out now says how to get the rest."""
    now = clock.now()
    if reply.author != Author.BOT or not ready_parts_behind(reply.message_id, reply.part):
        return reply.text
    # This row is SENDING without a channel yet and has been taken off the ledger, so both counts
    # are of what follows.
    customer = Customer.objects.get(pk=reply.conversation.customer_id)
    if _bot_sends_left(reply) > 1 and customer.sends_left(now) > KEPT_FOR_A_PERSON:
        return reply.text
    account_id = reply.conversation.account_id
    link = look_link(say_text("more_link", account_id))
    longer = f"{reply.text}\n{say_text('more', account_id, link=link)}"
    return longer if byte_length(longer) <= MESSAGE_BYTES else reply.text


@database_work
def record_sent(reply: Reply) -> None:
    """Also where the sweep has given us up: that WeChat took it is the truth."""
    reply_sent(reply.pk, clock.now())


@database_work
def record_error(reply: Reply, error: WeChatError) -> None:
    """The one place where an error becomes a state."""
    logger.warning("reply %s was not sent: %s", reply.pk, error)
    rows = Reply.objects.filter(pk=reply.pk, state=ReplyState.SENDING)
    reason = str(error)[:200]
    with transaction.atomic():
        if not isinstance(error, OutcomeUnknown):
            ledger.refund(reply.conversation.customer, clock.now())
        match error:
            case OutcomeUnknown():
                rows.update(
                    state=ReplyState.UNKNOWN,
                    channel=Channel.API,
                    sent_at=clock.now(),
                    reason=reason,
                )
            case WindowClosed() | QuotaUsedUp():
                ledger.close(reply.conversation.customer)
                rows.update(state=ReplyState.WAITING_FOR_CUSTOMER, reason=reason)
                _wait_for_customer(reply.conversation_id)
            case ApiNotGranted():
                rows.update(state=ReplyState.WAITING_FOR_CUSTOMER, reason=reason)
                _wait_for_customer(reply.conversation_id)
                accounts.turn_passive(reply.conversation.account_id)
            case WeChatError(counts_as_try=False):
                due_at = clock.now() + timedelta(seconds=error.wait_seconds)
                rows.update(
                    state=ReplyState.READY, due_at=due_at, reason=reason, tries=reply.tries - 1
                )
            case WeChatError(try_again=True) if reply.tries <= len(RETRY_PAUSES):
                pause = max(RETRY_PAUSES[reply.tries - 1], error.wait_seconds)
                due_at = clock.now() + timedelta(seconds=pause)
                rows.update(state=ReplyState.READY, due_at=due_at, reason=reason)
            case _:
                if isinstance(error, NotFollowing):
                    Customer.objects.filter(pk=reply.conversation.customer_id).update(
                        subscribed=False
                    )
                rows.update(state=ReplyState.FAILED, reason=reason)
                _fail_parts_behind(reply, reason)


def _fail_parts_behind(reply: Reply, reason: str) -> None:
    """The second half of an answer without the first says nothing, or something false."""
    if reply.message is not None:
        _parts_behind(reply).update(state=ReplyState.FAILED, reason=reason)


def _parts_behind(reply: Reply) -> QuerySet[Reply]:
    return Reply.objects.filter(message=reply.message, part__gt=reply.part, state=ReplyState.READY)


_UNSENT = Joined(
    r=(Reply, "id conversation_id message_id part author owner_version text state tries due_at"),
    co=(Conversation, "id account_id customer_id"),
    cu=(
        Customer,
        "id openid message_sends_left message_window_until event_sends_left event_window_until",
    ),
    m=(Message, "id hold hold_until ended_with"),
)


def first_unsent_reply(conversation_id: int) -> Reply | None:
    """The oldest reply that is ready or being sent, with its message, conversation and customer."""
    found = read(
        f"SELECT {_UNSENT.columns} FROM {REPLY} r"
        f" JOIN {CONVERSATION} co ON co.id = r.conversation_id JOIN {CUSTOMER} cu ON cu.id = "
        "co.customer_id"
        f" LEFT JOIN {MESSAGE} m ON m.id = r.message_id"
        " WHERE r.conversation_id = %s AND r.state IN ('ready', 'sending') ORDER BY r.created_at, "
        "r.id LIMIT 1",
        conversation_id,
    )
    if not found:
        return None
    reply, conversation, customer, message = _UNSENT.instances(found[0])
    reply.conversation, reply.message = conversation, message
    conversation.customer = customer
    return reply


def start_sending(reply_id: int, tries: int, until: datetime) -> bool:
    sql = (
        f"UPDATE {REPLY} SET state = 'sending', tries = %s, lease_until = %s WHERE id = %s AND "
        "state = 'ready'"
    )
    return run(sql, tries, to_database(until), reply_id) == 1


def reply_sent(reply_id: int, now: datetime) -> None:
    run(
        f"UPDATE {REPLY} SET state = 'sent', channel = 'api', sent_at = %s, reason = ''"
        " WHERE id = %s AND state IN ('sending', 'unknown')",
        to_database(now),
        reply_id,
    )


def last_sent(conversation_id: int, since: datetime) -> datetime | None:
    found = read(
        f"SELECT MAX(sent_at) FROM {REPLY} WHERE conversation_id = %s AND state = 'sent' AND "
        "sent_at > %s",
        conversation_id,
        to_database(since),
    )
    return from_database(found[0][0])


def count_sent_by_api(message_id: int | None) -> int:
    return int(
        read(f"SELECT COUNT(*) FROM {REPLY} WHERE message_id = %s AND channel = 'api'", message_id)[
            0
        ][0]
    )


def ready_parts_behind(message_id: int | None, part: int) -> int:
    sql = f"SELECT COUNT(*) FROM {REPLY} WHERE message_id = %s AND part > %s AND state = 'ready'"
    return int(read(sql, message_id, part)[0][0])


def has_ready_reply(conversation_id: int) -> bool:
    sql = f"SELECT 1 FROM {REPLY} WHERE conversation_id = %s AND state = 'ready' LIMIT 1"
    return bool(read(sql, conversation_id))
