"""Sending replies by the customer-service API, one after the other, in the order they were written.

A retried delivery never asks a model again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from django.db import InterfaceError, OperationalError

from common import clock
from common.database_threads import database_work
from conversations.models import Author, Customer, Reply, ReplyState
from conversations.moments import MORE
from conversations.replies import outcomes, states
from conversations.replies.claiming import bot_sends_left, claim_next
from conversations.replies.parts import MESSAGE_BYTES, byte_length, cut
from conversations.replies.routes import route_of
from conversations.replies.wording import in_words
from conversations.sql import CONVERSATION, REPLY, from_database, quoted, read, to_database
from conversations.window import ledger
from conversations.window.ledger import KEPT_FOR_A_PERSON, PAUSE_SECONDS, SENDING_LEASE
from wechat import accounts
from wechat.client import Line, api_of
from wechat.crypto import Account
from wechat.errors import OutcomeUnknown, TextTooLong, WeChatError

logger = logging.getLogger(__name__)


class NotBegun(Exception):
    """The call was not made: the row is no longer ours to send, or nobody could tell."""


def line_at_hand(account: Account) -> Line | None:
    """For a task that may send its answer itself. None: the account has no API, or its token would
    have to be asked for first; delivery does that.
    """
    if not route_of(account).calls_wechat:
        return None
    api = api_of(account)
    token = api.token_at_hand()
    return Line(api, token) if token else None


def open_line(account: Account) -> Line | WeChatError:
    """With a token of WeChat's. An error is the outcome of whatever was to be sent."""
    api = api_of(account)
    try:
        return Line(api, api.access_token)
    except WeChatError as error:
        return error


def deliver(conversation_id: int, *, limit: int | None = None) -> int:
    """Send what is due in this conversation, at most `limit` texts; returns
    how many WeChat took.
    """
    sent = 0
    line: Line | WeChatError | None = None
    while limit is None or sent < limit:
        moment = _next_moment(conversation_id)
        if moment is None:
            break
        account_id, pause = moment
        time.sleep(pause)
        line = line or _line_of(account_id)
        reply = claim_next(conversation_id)
        if reply is None:
            break
        sent += send(reply, line)
    return sent


def _line_of(account_id: int) -> Line | WeChatError | None:
    """Before anything is claimed: WeChat may take its time."""
    account = accounts.by_id(account_id)
    return open_line(account) if route_of(account).calls_wechat else None


@database_work
def has_more(conversation_id: int) -> bool:
    return has_ready_reply(conversation_id)


@database_work
def _next_moment(conversation_id: int) -> tuple[int, float] | None:
    """The account, and the pause until a text may go out: the one before may have gone out a moment
    ago, from another process or as a passive reply. None: the conversation is gone.
    """
    earliest = clock.now() - timedelta(seconds=PAUSE_SECONDS)
    found = last_sent(conversation_id, earliest)
    if found is None:
        return None
    account_id, last = found
    if last is None:
        return account_id, 0.0
    return account_id, float(min(max((last - earliest).total_seconds(), 0), PAUSE_SECONDS))


def send(reply: Reply, line: Line | WeChatError | None, *, is_alone: bool = False) -> bool:
    """Send one claimed row and write down what became of it. `is_alone`: its answer has no further
    parts.
    """
    try:
        if line is None:
            raise NotBegun("the account had no API a moment ago")
        if isinstance(line, WeChatError):
            raise line
        with _or_not_begun():
            text = reply.text if is_alone else _with_link_to_the_rest(reply)
        _send_text(reply, line, text)
    except NotBegun as error:
        logger.warning("reply %s is left to another claim: %s", reply.pk, error)
        outcomes.keep_not_begun(reply)
        return False
    except WeChatError as error:
        outcomes.keep_error(reply, error)
        return False
    outcomes.keep_sent(reply)
    return True


@contextmanager
def _or_not_begun() -> Iterator[None]:
    """What cannot be asked before a call does not let it begin."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise NotBegun(str(error)) from error


def _begin(reply: Reply) -> None:
    """Right before the call: is the row still ours to send? From here on its outcome may be
    unknown.
    """
    with _or_not_begun():
        has_begun = _note_begin(reply)
    if not has_begun:
        raise NotBegun("it was taken over, withdrawn, or its lease ran out")


@database_work
def _note_begin(reply: Reply) -> bool:
    now = clock.now()
    return states.begin(reply, now, now + SENDING_LEASE)


def _send_text(reply: Reply, line: Line, text: str) -> None:
    try:
        _call(reply, line, text)
    except TextTooLong:
        _send_pieces(reply, line, text)


def _call(reply: Reply, line: Line, text: str) -> None:
    openid = reply.conversation.customer.openid
    line.api.send_text(openid, text, token=line.token, begin=partial(_begin, reply))


def _send_pieces(reply: Reply, line: Line, text: str) -> None:
    """WeChat's limit is not published. Halves are surely short enough; they cost one send more.

    A row of which a piece went out is never sent again, so every failure after the first is one of
    unknown outcome.
    """
    first, *others = cut(text, byte_length(text) // 2 + 8)
    _call(reply, line, first)
    for piece in others:
        time.sleep(PAUSE_SECONDS)
        try:
            with _or_not_begun():
                _spend_one_more(reply)
            _call(reply, line, piece)
        except NotBegun as error:
            raise OutcomeUnknown(0, f"only the beginning was sent: {error}") from error
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
    if bot_sends_left(reply) > 1 and ledger.sends_left(customer, now) > KEPT_FOR_A_PERSON:
        return reply.text
    account_id = reply.conversation.account_id
    longer = f"{reply.text}\n{in_words(MORE, account_id)}"
    return longer if byte_length(longer) <= MESSAGE_BYTES else reply.text


_LAST_SENT = (
    f"SELECT account_id, (SELECT MAX(sent_at) FROM {REPLY} WHERE conversation_id = %s"
    f" AND state = {quoted(ReplyState.SENT)} AND sent_at > %s) FROM {CONVERSATION} WHERE id = %s"
)


def last_sent(conversation_id: int, since: datetime) -> tuple[int, datetime | None] | None:
    """The conversation's account, and when its last text went out, if that was since then."""
    found = read(_LAST_SENT, conversation_id, to_database(since), conversation_id)
    if not found:
        return None
    account_id, sent_at = found[0]
    return account_id, from_database(sent_at)


_READY = f"state = {quoted(ReplyState.READY)}"
_PARTS_BEHIND = f"SELECT COUNT(*) FROM {REPLY} WHERE message_id = %s AND part > %s AND {_READY}"
_HAS_READY = f"SELECT 1 FROM {REPLY} WHERE conversation_id = %s AND {_READY} LIMIT 1"


def ready_parts_behind(message_id: int | None, part: int) -> int:
    return int(read(_PARTS_BEHIND, message_id, part)[0][0])


def has_ready_reply(conversation_id: int) -> bool:
    return bool(read(_HAS_READY, conversation_id))
