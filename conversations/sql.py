"""What the statements that every message runs have in common: tables, running and reading, moments
as a database takes them, joined rows.

They are constant SQL. The ORM builds the same ones at about ten times the cost, and a message runs
twenty of them. Each stands beside the story that runs it, and works on MySQL, MariaDB and SQLite.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model
from django.utils.dateparse import parse_datetime

from conversations.models import Conversation, Customer, Message, Reply

MESSAGE = Message._meta.db_table
REPLY = Reply._meta.db_table
CONVERSATION = Conversation._meta.db_table
CUSTOMER = Customer._meta.db_table

Row = tuple[Any, ...]


def run(sql: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


class Inserted(NamedTuple):
    """How many rows an INSERT wrote, and the id of the first one: nothing is known of a row that
    was left out.
    """

    rows: int
    row_id: int


def insert(sql: str, *values: Any) -> Inserted:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return Inserted(int(cursor.rowcount), int(cursor.lastrowid or 0))


def read(sql: str, *values: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def for_update() -> str:
    """SQLite's transactions are IMMEDIATE here: whoever is in one is the only writer."""
    return " FOR UPDATE" if connection.features.has_select_for_update else ""


def lock_conversation(conversation_id: int) -> int | None:
    """Its owner's version; the row stays locked until the transaction ends."""
    found = read(
        f"SELECT owner_version FROM {CONVERSATION} WHERE id = %s{for_update()}", conversation_id
    )
    return found[0][0] if found else None


def insert_ignore() -> str:
    """The words of an INSERT that leaves out rows whose keys are taken."""
    return "INSERT IGNORE" if connection.vendor == "mysql" else "INSERT OR IGNORE"


def marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def to_database(moment: datetime | None) -> str | None:
    """A moment as both databases take it: in UTC, without its zone (what Django's own adapters make
    of it, faster).
    """
    if moment is None:
        return None
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(" ", "microseconds")


def from_database(value: Any) -> datetime | None:
    """MySQL gives naive datetimes in UTC, SQLite gives text."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


_MOMENTS = frozenset(
    {
        "sent_at",
        "received_at",
        "hold_until",
        "receipt_at",
        "last_reply_at",
        "due_at",
        "message_window_until",
        "event_window_until",
    }
)


def _columns(model: type[Model], names: str) -> tuple[str, ...]:
    """In the order of the model's fields, as `from_db` wants them."""
    return tuple(
        field.attname for field in model._meta.concrete_fields if field.attname in names.split()
    )


class Joined:
    """A SELECT over joined tables, read into model instances. What is not read here loads when it
    is asked.
    """

    def __init__(self, **tables: tuple[type[Model], str]) -> None:
        self._columns = {
            alias: (model, _columns(model, names)) for alias, (model, names) in tables.items()
        }
        self.columns = ", ".join(
            f"{alias}.{name}" for alias, (_, names) in self._columns.items() for name in names
        )

    def instances(self, row: Row) -> list[Any]:
        """One instance per table; None where an outer join found nothing."""
        values = iter(row)
        found = []
        for model, names in self._columns.values():
            own = [_value(name, next(values)) for name in names]
            found.append(None if own[0] is None else model.from_db(connection.alias, names, own))
        return found


def _value(column: str, value: Any) -> Any:
    if column in _MOMENTS:
        return from_database(value)
    if column == "fields" and isinstance(value, str):
        return json.loads(value)
    return bool(value) if column == "wants_human" else value
