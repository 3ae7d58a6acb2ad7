"""Messages as they come in, and the conversations they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from common import clock
from common.database_threads import database_work
from conversations.models import Conversation, Customer, Ending, Hold, Message, Owner
from conversations.sql import (
    CONVERSATION,
    CUSTOMER,
    MESSAGE,
    Insert,
    quoted,
    read,
    run,
    to_database,
)
from conversations.window import ledger
from conversations.window.ledger import Window

_MESSAGE = Insert(
    Message,
    (
        *("id", "account_id", "openid", "dedup_key", "kind", "text", "fields", "raw"),
        *("wants_human", "sent_at", "received_at", "state", "hold", "hold_until", "ended_with"),
        *("passive_text", "request_id"),
    ),
)
_CUSTOMER = Insert(Customer, ("account_id", "openid", "created_at", *ledger.COLUMNS))
_CONVERSATION = Insert(
    Conversation,
    ("created_at", "last_message_at"),
    expressions={"customer_id": "id", "account_id": "account_id"},
)
MESSAGE_COLUMNS = _MESSAGE.given


def insert_messages(rows: Sequence[Sequence[Any]]) -> int:
    """One INSERT that leaves known keys alone; returns how many rows went in (`bulk_create` does
    not tell). Each row in the order of MESSAGE_COLUMNS.
    """
    return _MESSAGE.run(rows, known_are_left_out=True).rows


@database_work
def attach(message_ids: list[int]) -> list[int]:
    """Give each message its customer and conversation (made at the first word); returns the
    conversations' ids.
    """
    conversation_ids = []
    for message in Message.objects.filter(pk__in=message_ids).order_by("sent_at", "pk"):
        if message.conversation_id is None:
            with transaction.atomic():
                message.conversation_id, _ = attach_one(message)
        conversation_ids.append(message.conversation_id)
    return list(dict.fromkeys(conversation_ids))


def attach_one(message: Message) -> tuple[int, str]:
    """Give the message its conversation, and let it open the reply window. Returns the conversation
    and its owner.
    """
    window = ledger.opened_by(message)
    found = conversation_of(message.account_id, message.openid)
    if found is None:
        begun = begin_conversation(
            message.account_id, message.openid, message.sent_at, window, clock.now()
        )
        if begun is not None and join_conversation(message.pk, begun):
            return begun, Owner.BOT
        found = conversation_of(message.account_id, message.openid)
        assert found is not None
    conversation_id, customer_id, owner = found
    if attach_message(message.pk, conversation_id, message.sent_at):
        ledger.open_window(customer_id, window)
        if not window.follows:
            end_open_pushes(conversation_id, message.sent_at)
    return conversation_id, owner


_END_OPEN_PUSHES = (
    f"UPDATE {MESSAGE} SET hold = {quoted(Hold.RELEASED)}, ended_with = {quoted(Ending.SUCCESS)}"
    f" WHERE conversation_id = %s AND ended_with = {quoted(Ending.OPEN)}"
    " AND received_at > %s AND sent_at <= %s"
)


def end_open_pushes(conversation_id: int, left_at: datetime) -> None:
    """The customer has left: no request that still waits for a reply will be read."""
    earliest = clock.now() - ledger.OLDEST_DELIVERY
    run(_END_OPEN_PUSHES, conversation_id, to_database(earliest), to_database(left_at))


def conversation_of(account_id: int, openid: str) -> tuple[int, int, str] | None:
    """Ids of conversation and customer, and who serves them."""
    found = read(
        f"SELECT co.id, cu.id, co.owner FROM {CUSTOMER} cu JOIN {CONVERSATION} co ON "
        "co.customer_id = cu.id"
        " WHERE cu.account_id = %s AND cu.openid = %s",
        account_id,
        openid,
    )
    return found[0] if found else None


def begin_conversation(
    account_id: int, openid: str, sent_at: datetime, window: Window, now: datetime
) -> int | None:
    """A customer's first word, with the window that it opens; returns the conversation's id.

    None: another first word came at the same moment. The unique keys have decided, and both read
    the same rows.
    """
    customer = _CUSTOMER.run([(account_id, openid, now, *window)], known_are_left_out=True)
    source = f"FROM {CUSTOMER} WHERE account_id = %s AND openid = %s"
    conversation = _CONVERSATION.run_from(source, (now, sent_at), account_id, openid)
    return conversation.row_id if customer.rows and conversation.rows else None


def join_conversation(message_id: int, conversation_id: int) -> bool:
    """False: it was attached already."""
    sql = f"UPDATE {MESSAGE} SET conversation_id = %s WHERE id = %s AND conversation_id IS NULL"
    return run(sql, conversation_id, message_id) == 1


def attach_message(message_id: int, conversation_id: int, sent_at: datetime) -> bool:
    """False: it was attached already, and has opened its reply window then.

    The conversation first, and always: the message's new foreign key takes a shared lock on it,
    which two who then want to write to it would wait for in a circle.
    """
    moment = to_database(sent_at)
    run(
        f"UPDATE {CONVERSATION} SET last_message_at ="
        " CASE WHEN last_message_at > %s THEN last_message_at ELSE %s END WHERE id = %s",
        moment,
        moment,
        conversation_id,
    )
    return join_conversation(message_id, conversation_id)
