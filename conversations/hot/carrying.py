"""Passive replies, decided for a whole batch under its locks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from conversations.hot.sql import MESSAGE, REPLY, Row, for_update, marks, read, run, to_database


def lock_messages(message_ids: Sequence[int]) -> list[Row]:
    """Rows of (id, account_id, conversation_id, state, ended_with, passive_text), locked in the
    order of their ids.
    """
    return read(
        f"SELECT id, account_id, conversation_id, state, ended_with, passive_text FROM {MESSAGE}"
        f" WHERE id IN ({marks(message_ids)}) ORDER BY id{for_update()}",
        *message_ids,
    )


def lock_ready_replies(message_ids: Sequence[int]) -> list[Row]:
    """Rows of (message_id, id, text)."""
    found = read(
        f"SELECT message_id, id, text FROM {REPLY}"
        f" WHERE message_id IN ({marks(message_ids)}) AND state = 'ready' ORDER BY part",
        *message_ids,
    )
    return _locked_replies(found, "ready")


def lock_waiting_replies(conversation_ids: Sequence[int]) -> list[Row]:
    """Rows of (conversation_id, id, text), oldest first."""
    found = read(
        f"SELECT conversation_id, id, text FROM {REPLY}"
        f" WHERE conversation_id IN ({marks(conversation_ids)}) AND state = 'waiting' ORDER BY "
        "created_at, id",
        *conversation_ids,
    )
    return _locked_replies(found, "waiting")


def _locked_replies(found: list[Row], state: str) -> list[Row]:
    """Those that are still in this state, locked by their primary key: a locking read by another
    index takes its locks in the other order than an UPDATE does, and the two wait for each other.
    """
    if not found or not for_update():
        return found
    reply_ids = sorted(reply_id for _owner_id, reply_id, _text in found)
    locked = {
        reply_id
        for (reply_id,) in read(
            f"SELECT id FROM {REPLY} WHERE id IN ({marks(reply_ids)}) AND state = %s ORDER BY id "
            "FOR UPDATE",
            *reply_ids,
            state,
        )
    }
    return [row for row in found if row[1] in locked]


def end_pushes(rows: Sequence[tuple[str, str, int]]) -> None:
    """`(ended_with, passive_text, message_id)` each."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {MESSAGE} SET ended_with = %s, passive_text = %s WHERE id = %s", rows
        )


def release_pushes(message_ids: Sequence[int]) -> None:
    """Ended with `success` before there was an answer: what comes now goes out by the API."""
    run(
        f"UPDATE {MESSAGE} SET hold = 'released', ended_with = 'success' WHERE id IN "
        f"({marks(message_ids)})",
        *message_ids,
    )


def replies_sent_passively(reply_ids: Sequence[int], now: datetime) -> None:
    run(
        f"UPDATE {REPLY} SET state = 'sent', channel = 'passive', sent_at = %s WHERE id IN "
        f"({marks(reply_ids)})",
        to_database(now),
        *reply_ids,
    )
