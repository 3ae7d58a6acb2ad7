"""The answer's rows, written under the message's lock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conversations.hot.sql import (
    CONVERSATION,
    CUSTOMER,
    MESSAGE,
    REPLY,
    Inserted,
    for_update,
    from_database,
    insert,
    marks,
    read,
    run,
    to_database,
)
from conversations.models import LONG_AGO, Reply


@dataclass(frozen=True)
class Held:
    """A message's state under its lock, and whether somebody waits for its reply."""

    state: str
    attempt: int
    hold: str
    hold_until: datetime | None
    ended_with: str


def lock_message(message_id: int) -> Held:
    found = read(
        f"SELECT state, attempt, hold, hold_until, ended_with FROM {MESSAGE} WHERE id = "
        f"%s{for_update()}",
        message_id,
    )
    state, attempt, hold, until, ended_with = found[0]
    return Held(state, attempt, hold, from_database(until), ended_with)


def end_message(message_id: int, state: str) -> None:
    """Of a message under its lock."""
    run(f"UPDATE {MESSAGE} SET state = %s WHERE id = %s", state, message_id)


def end_message_and_push(message_id: int, state: str, ended_with: str, passive_text: str) -> None:
    """The same, together with what its push is answered with."""
    sql = f"UPDATE {MESSAGE} SET state = %s, ended_with = %s, passive_text = %s WHERE id = %s"
    run(sql, state, ended_with, passive_text, message_id)


def reply_and_release(conversation_id: int, owner_version: int, lease: str, now: datetime) -> bool:
    """`reply_as_owner` and the end of the lease in one. False: look at the two apart, nothing was
    changed.
    """
    sql = (
        f"UPDATE {CONVERSATION} SET last_reply_at = %s, lease_holder = '', lease_until = %s"
        " WHERE id = %s AND owner_version = %s AND lease_holder = %s"
    )
    return (
        run(sql, to_database(now), to_database(LONG_AGO), conversation_id, owner_version, lease)
        == 1
    )


def reply_as_owner(conversation_id: int, owner_version: int, now: datetime) -> bool:
    """True when the owner is the same; the row stays locked until the transaction ends."""
    sql = f"UPDATE {CONVERSATION} SET last_reply_at = %s WHERE id = %s AND owner_version = %s"
    return run(sql, to_database(now), conversation_id, owner_version) == 1


_REPLY_COLUMNS = (
    "conversation_id",
    "message_id",
    "part",
    "author",
    "agent_name",
    "source",
    "options",
    "owner_version",
    "text",
    "state",
    "channel",
    "tries",
    "lease_until",
    "due_at",
    "created_at",
    "sent_at",
    "reason",
)


def insert_replies(replies: Sequence[Reply]) -> None:
    _insert(replies)


def insert_reply(reply: Reply) -> int:
    """One row; returns its id."""
    return _insert([reply]).row_id


def _insert(replies: Sequence[Reply]) -> Inserted:
    values: list[Any] = []
    for reply in replies:
        row = {column: getattr(reply, column) for column in _REPLY_COLUMNS}
        row.update(
            author=str(reply.author),
            source=str(reply.source),
            state=str(reply.state),
            channel=str(reply.channel),
            options=json.dumps(reply.options),
            due_at=to_database(reply.due_at),
            created_at=to_database(reply.created_at),
            sent_at=to_database(reply.sent_at),
            lease_until=to_database(reply.lease_until),
        )
        values += row.values()
    places = ", ".join([f"({marks(_REPLY_COLUMNS)})"] * len(replies))
    return insert(f"INSERT INTO {REPLY} ({', '.join(_REPLY_COLUMNS)}) VALUES {places}", *values)


def spend_if_window_allows(customer_id: int, keep: int, now: datetime) -> bool:
    """Take one send off the message window, if more than `keep` are left in it and no window that
    closes sooner.
    """
    sql = (
        f"UPDATE {CUSTOMER} SET message_sends_left = message_sends_left - 1"
        " WHERE id = %s AND message_sends_left > %s AND message_window_until > %s"
        " AND (event_sends_left = 0 OR event_window_until IS NULL OR event_window_until <= %s)"
    )
    moment = to_database(now)
    return run(sql, customer_id, keep, moment, moment) == 1


def waiting_becomes_ready(conversation_id: int, now: datetime) -> int:
    sql = (
        f"UPDATE {REPLY} SET state = 'ready', due_at = %s WHERE conversation_id = %s AND state = "
        "'waiting'"
    )
    return run(sql, to_database(now), conversation_id)
