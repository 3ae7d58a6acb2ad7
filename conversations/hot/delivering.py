"""Sending by the API, and the reply window's ledger."""

from __future__ import annotations

from datetime import datetime

from conversations.hot.sql import (
    CONVERSATION,
    CUSTOMER,
    MESSAGE,
    REPLY,
    Joined,
    for_update,
    from_database,
    read,
    run,
    to_database,
)
from conversations.models import Conversation, Customer, Message, Reply


def lock_conversation(conversation_id: int) -> int | None:
    """Its owner's version; the row stays locked until the transaction ends."""
    found = read(
        f"SELECT owner_version FROM {CONVERSATION} WHERE id = %s{for_update()}", conversation_id
    )
    return found[0][0] if found else None


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


def has_unsent_reply(conversation_id: int) -> bool:
    sql = (
        f"SELECT 1 FROM {REPLY} WHERE conversation_id = %s AND state IN ('ready', 'sending', "
        "'waiting') LIMIT 1"
    )
    return bool(read(sql, conversation_id))


def has_ready_reply(conversation_id: int) -> bool:
    sql = f"SELECT 1 FROM {REPLY} WHERE conversation_id = %s AND state = 'ready' LIMIT 1"
    return bool(read(sql, conversation_id))


def spend_event_send(customer_id: int, now: datetime) -> bool:
    sql = (
        f"UPDATE {CUSTOMER} SET event_sends_left = event_sends_left - 1"
        " WHERE id = %s AND event_sends_left > 0 AND event_window_until > %s"
    )
    return run(sql, customer_id, to_database(now)) == 1


def spend_message_send(customer_id: int) -> bool:
    sql = (
        f"UPDATE {CUSTOMER} SET message_sends_left = message_sends_left - 1 WHERE id = %s AND "
        "message_sends_left > 0"
    )
    return run(sql, customer_id) == 1
