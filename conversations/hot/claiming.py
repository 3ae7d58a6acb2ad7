"""The lease on a conversation, and its first open message."""

from __future__ import annotations

from datetime import datetime

from conversations.hot.sql import CONVERSATION, CUSTOMER, MESSAGE, Joined, read, run, to_database
from conversations.models import LONG_AGO, Conversation, Customer, Message


def claim_conversation(conversation_id: int, holder: str, now: datetime, until: datetime) -> bool:
    sql = (
        f"UPDATE {CONVERSATION} SET lease_holder = %s, lease_until = %s WHERE id = %s AND "
        "lease_until < %s"
    )
    return run(sql, holder, to_database(until), conversation_id, to_database(now)) == 1


def release_conversation(conversation_id: int, holder: str) -> bool:
    """The holder goes with the lease: whoever renews by its name must not renew what was given
    free.
    """
    sql = (
        f"UPDATE {CONVERSATION} SET lease_holder = '', lease_until = %s WHERE id = %s AND "
        "lease_holder = %s"
    )
    return run(sql, to_database(LONG_AGO), conversation_id, holder) == 1


def hold_on(conversation_id: int, holder: str, until: datetime) -> None:
    """Of a conversation that was released in this transaction."""
    sql = f"UPDATE {CONVERSATION} SET lease_holder = %s, lease_until = %s WHERE id = %s"
    run(sql, holder, to_database(until), conversation_id)


_TURN = Joined(
    m=(
        Message,
        "id account_id openid kind text fields wants_human sent_at received_at conversation_id "
        "state attempt hold"
        " hold_until",
    ),
    co=(Conversation, "id account_id customer_id owner owner_version receipt_at last_reply_at"),
    cu=(Customer, "id account_id openid remark let_in_at"),
)


def first_open_message(conversation_id: int) -> tuple[Message, Conversation, Customer] | None:
    """A wish for a human first, then by the time the customer wrote."""
    found = read(
        f"SELECT {_TURN.columns} FROM {MESSAGE} m"
        f" JOIN {CONVERSATION} co ON co.id = m.conversation_id JOIN {CUSTOMER} cu ON cu.id = "
        "co.customer_id"
        " WHERE m.conversation_id = %s AND m.state IN ('received', 'answering')"
        " ORDER BY m.wants_human DESC, m.sent_at, m.id LIMIT 1",
        conversation_id,
    )
    if not found:
        return None
    message, conversation, customer = _TURN.instances(found[0])
    message.conversation = conversation
    conversation.customer = customer
    return message, conversation, customer


def start_answering(message_id: int, attempts_so_far: int) -> bool:
    sql = (
        f"UPDATE {MESSAGE} SET state = 'answering', attempt = attempt + 1"
        " WHERE id = %s AND attempt = %s AND state IN ('received', 'answering')"
    )
    return run(sql, message_id, attempts_so_far) == 1
