"""The statements that every message runs, as constant SQL. The ORM builds the same ones at about ten times the cost,
and a message runs twenty of them. All of it works on MySQL, MariaDB and SQLite; nowhere else in the product is SQL.

Each function is one statement of a story that `claims`, `services` or `passive` tells, inside their transactions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils.dateparse import parse_datetime

from conversations.models import LONG_AGO, Conversation, Customer, Message, Reply

_MESSAGE = Message._meta.db_table
_REPLY = Reply._meta.db_table
_CONVERSATION = Conversation._meta.db_table
_CUSTOMER = Customer._meta.db_table

Row = tuple[Any, ...]


def _run(sql: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _read(sql: str, *values: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _for_update() -> str:
    """SQLite's transactions are IMMEDIATE here: whoever is in one is the only writer."""
    return " FOR UPDATE" if connection.features.has_select_for_update else ""


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def to_database(moment: datetime | None) -> str | None:
    """A moment as both databases take it: in UTC, without its zone (what Django's own adapters make of it, faster)."""
    if moment is None:
        return None
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(" ", "microseconds")


def from_database(value: Any) -> datetime | None:
    """MySQL gives naive datetimes in UTC, SQLite gives text."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


# --- Messages as they come in ---------------------------------------------------------------------------------------

MESSAGE_COLUMNS = (
    "id", "account_id", "openid", "dedup_key", "kind", "text", "fields", "raw", "wants_human", "sent_at",
    "received_at", "state", "hold", "hold_until", "ended_with", "passive_text",
)  # fmt: skip
# A new row's other columns are the same for all.
_NEW_MESSAGE = f"({_marks(MESSAGE_COLUMNS)}, 1, 0, '')"


def insert_messages(rows: Iterable[Sequence[Any]]) -> int:
    """One INSERT that leaves known keys alone; returns how many rows went in (`bulk_create` does not tell)."""
    values = [value for row in rows for value in row]
    verb = "INSERT IGNORE" if connection.vendor == "mysql" else "INSERT OR IGNORE"
    places = ", ".join([_NEW_MESSAGE] * (len(values) // len(MESSAGE_COLUMNS)))
    columns = ", ".join([*MESSAGE_COLUMNS, "deliveries", "attempt", "note"])
    return _run(f"{verb} INTO {_MESSAGE} ({columns}) VALUES {places}", *values)


def conversation_of(account_id: int, openid: str) -> tuple[int, int, str] | None:
    """Ids of conversation and customer, and who serves them."""
    found = _read(
        f"SELECT co.id, cu.id, co.owner FROM {_CUSTOMER} cu JOIN {_CONVERSATION} co ON co.customer_id = cu.id"
        " WHERE cu.account_id = %s AND cu.openid = %s",
        account_id,
        openid,
    )
    return found[0] if found else None


def begin_conversation(account_id: int, openid: str, now: datetime) -> None:
    """A customer's first word. Two of them may come at once: the unique keys decide, and both read the same rows."""
    verb = "INSERT IGNORE" if connection.vendor == "mysql" else "INSERT OR IGNORE"
    moment = to_database(now)
    _run(
        f"{verb} INTO {_CUSTOMER} (account_id, openid, remark, subscribed, created_at, message_sends_left,"
        " event_sends_left) VALUES (%s, %s, '', %s, %s, 0, 0)",
        account_id,
        openid,
        True,
        moment,
    )
    _run(
        f"{verb} INTO {_CONVERSATION} (customer_id, account_id, owner, owner_version, lease_holder, lease_until,"
        f" created_at) SELECT id, account_id, 'bot', 0, '', %s, %s FROM {_CUSTOMER}"
        " WHERE account_id = %s AND openid = %s",
        to_database(LONG_AGO),
        moment,
        account_id,
        openid,
    )


def attach_message(message_id: int, conversation_id: int, sent_at: datetime) -> bool:
    """False: it was attached already, and has opened its reply window then.

    The conversation first, and always: the message's new foreign key takes a shared lock on it, which two who then
    want to write to it would wait for in a circle.
    """
    moment = to_database(sent_at)
    _run(
        f"UPDATE {_CONVERSATION} SET last_message_at ="
        " CASE WHEN last_message_at > %s THEN last_message_at ELSE %s END WHERE id = %s",
        moment,
        moment,
        conversation_id,
    )
    sql = f"UPDATE {_MESSAGE} SET conversation_id = %s WHERE id = %s AND conversation_id IS NULL"
    return _run(sql, conversation_id, message_id) == 1


def open_message_window(customer_id: int, sends: int, until: datetime) -> None:
    """A message that is attached late does not close the window of a newer one."""
    _run(
        f"UPDATE {_CUSTOMER} SET message_sends_left = %s, message_window_until = %s"
        " WHERE id = %s AND (message_window_until IS NULL OR message_window_until <= %s)",
        sends,
        to_database(until),
        customer_id,
        to_database(until),
    )


# --- Claims ---------------------------------------------------------------------------------------------------------


def claim_conversation(conversation_id: int, holder: str, now: datetime, until: datetime) -> bool:
    sql = f"UPDATE {_CONVERSATION} SET lease_holder = %s, lease_until = %s WHERE id = %s AND lease_until < %s"
    return _run(sql, holder, to_database(until), conversation_id, to_database(now)) == 1


def release_conversation(conversation_id: int, holder: str) -> bool:
    """The holder goes with the lease: whoever renews by its name must not renew what was given free."""
    sql = f"UPDATE {_CONVERSATION} SET lease_holder = '', lease_until = %s WHERE id = %s AND lease_holder = %s"
    return _run(sql, to_database(LONG_AGO), conversation_id, holder) == 1


def hold_on(conversation_id: int, holder: str, until: datetime) -> None:
    """Of a conversation that was released in this transaction."""
    sql = f"UPDATE {_CONVERSATION} SET lease_holder = %s, lease_until = %s WHERE id = %s"
    _run(sql, holder, to_database(until), conversation_id)


def _columns(model: type[Model], names: str) -> tuple[str, ...]:
    """In the order of the model's fields, as `from_db` wants them."""
    return tuple(field.attname for field in model._meta.concrete_fields if field.attname in names.split())


class _Joined:
    """A SELECT over joined tables, read into model instances. What is not read here loads when it is asked."""

    def __init__(self, **tables: tuple[type[Model], str]) -> None:
        self._columns = {alias: (model, _columns(model, names)) for alias, (model, names) in tables.items()}
        self.columns = ", ".join(f"{alias}.{name}" for alias, (_, names) in self._columns.items() for name in names)

    def instances(self, row: Row) -> list[Any]:
        """One instance per table; None where an outer join found nothing."""
        values = iter(row)
        found = []
        for model, names in self._columns.values():
            own = [_value(name, next(values)) for name in names]
            found.append(None if own[0] is None else model.from_db(connection.alias, names, own))
        return found


_TURN = _Joined(
    m=(
        Message,
        "id account_id openid kind text fields wants_human sent_at received_at conversation_id state attempt hold"
        " hold_until",
    ),
    co=(Conversation, "id account_id customer_id owner owner_version receipt_at last_reply_at"),
    cu=(Customer, "id account_id openid remark"),
)
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


def first_open_message(conversation_id: int) -> tuple[Message, Conversation, Customer] | None:
    """A wish for a human first, then by the time the customer wrote."""
    found = _read(
        f"SELECT {_TURN.columns} FROM {_MESSAGE} m"
        f" JOIN {_CONVERSATION} co ON co.id = m.conversation_id JOIN {_CUSTOMER} cu ON cu.id = co.customer_id"
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


def _value(column: str, value: Any) -> Any:
    if column in _MOMENTS:
        return from_database(value)
    if column == "fields" and isinstance(value, str):
        return json.loads(value)
    return bool(value) if column == "wants_human" else value


def start_answering(message_id: int, attempts_so_far: int) -> bool:
    sql = (
        f"UPDATE {_MESSAGE} SET state = 'answering', attempt = attempt + 1"
        " WHERE id = %s AND attempt = %s AND state IN ('received', 'answering')"
    )
    return _run(sql, message_id, attempts_so_far) == 1


# --- Answers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """A message's state under its lock, and whether somebody waits for its reply."""

    state: str
    attempt: int
    hold: str
    hold_until: datetime | None
    ended_with: str


def lock_message(message_id: int) -> Held:
    found = _read(
        f"SELECT state, attempt, hold, hold_until, ended_with FROM {_MESSAGE} WHERE id = %s{_for_update()}", message_id
    )
    state, attempt, hold, until, ended_with = found[0]
    return Held(state, attempt, hold, from_database(until), ended_with)


def end_message(message_id: int, state: str) -> None:
    """Of a message under its lock."""
    _run(f"UPDATE {_MESSAGE} SET state = %s WHERE id = %s", state, message_id)


def end_message_and_push(message_id: int, state: str, ended_with: str, passive_text: str) -> None:
    """The same, together with what its push is answered with."""
    sql = f"UPDATE {_MESSAGE} SET state = %s, ended_with = %s, passive_text = %s WHERE id = %s"
    _run(sql, state, ended_with, passive_text, message_id)


def reply_as_owner(conversation_id: int, owner_version: int, now: datetime) -> bool:
    """True when the owner is the same; the row stays locked until the transaction ends."""
    sql = f"UPDATE {_CONVERSATION} SET last_reply_at = %s WHERE id = %s AND owner_version = %s"
    return _run(sql, to_database(now), conversation_id, owner_version) == 1


_REPLY_COLUMNS = (
    "conversation_id", "message_id", "part", "author", "agent_name", "source", "options", "owner_version", "text",
    "state", "channel", "tries", "lease_until", "due_at", "created_at", "sent_at", "reason",
)  # fmt: skip


def insert_replies(replies: Sequence[Reply]) -> None:
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
    places = ", ".join([f"({_marks(_REPLY_COLUMNS)})"] * len(replies))
    _run(f"INSERT INTO {_REPLY} ({', '.join(_REPLY_COLUMNS)}) VALUES {places}", *values)


def insert_reply(reply: Reply) -> int:
    """One row; returns its id."""
    insert_replies([reply])
    with connection.cursor() as cursor:
        cursor.execute("SELECT LAST_INSERT_ID()" if connection.vendor == "mysql" else "SELECT last_insert_rowid()")
        return int(cursor.fetchone()[0])


def spend_if_window_allows(customer_id: int, keep: int, now: datetime) -> bool:
    """Take one send off the message window, if more than `keep` are left in it."""
    sql = (
        f"UPDATE {_CUSTOMER} SET message_sends_left = message_sends_left - 1"
        " WHERE id = %s AND message_sends_left > %s AND message_window_until > %s"
    )
    return _run(sql, customer_id, keep, to_database(now)) == 1


def waiting_becomes_ready(conversation_id: int, now: datetime) -> int:
    sql = f"UPDATE {_REPLY} SET state = 'ready', due_at = %s WHERE conversation_id = %s AND state = 'waiting'"
    return _run(sql, to_database(now), conversation_id)


# --- Passive replies ------------------------------------------------------------------------------------------------


def lock_messages(message_ids: Sequence[int]) -> list[Row]:
    """Rows of (id, account_id, conversation_id, state, ended_with, passive_text), locked in the order of their ids."""
    return _read(
        f"SELECT id, account_id, conversation_id, state, ended_with, passive_text FROM {_MESSAGE}"
        f" WHERE id IN ({_marks(message_ids)}) ORDER BY id{_for_update()}",
        *message_ids,
    )


def lock_ready_replies(message_ids: Sequence[int]) -> list[Row]:
    """Rows of (message_id, id, text)."""
    found = _read(
        f"SELECT message_id, id, text FROM {_REPLY}"
        f" WHERE message_id IN ({_marks(message_ids)}) AND state = 'ready' ORDER BY part",
        *message_ids,
    )
    return _locked_replies(found, "ready")


def lock_waiting_replies(conversation_ids: Sequence[int]) -> list[Row]:
    """Rows of (conversation_id, id, text), oldest first."""
    found = _read(
        f"SELECT conversation_id, id, text FROM {_REPLY}"
        f" WHERE conversation_id IN ({_marks(conversation_ids)}) AND state = 'waiting' ORDER BY created_at, id",
        *conversation_ids,
    )
    return _locked_replies(found, "waiting")


def _locked_replies(found: list[Row], state: str) -> list[Row]:
    """Those that are still in this state, locked by their primary key: a locking read by another index takes its locks
    in the other order than an UPDATE does, and the two wait for each other."""
    if not found or not _for_update():
        return found
    reply_ids = sorted(reply_id for _owner_id, reply_id, _text in found)
    locked = {
        reply_id
        for (reply_id,) in _read(
            f"SELECT id FROM {_REPLY} WHERE id IN ({_marks(reply_ids)}) AND state = %s ORDER BY id FOR UPDATE",
            *reply_ids,
            state,
        )
    }
    return [row for row in found if row[1] in locked]


def end_pushes(rows: Sequence[tuple[str, str, int]]) -> None:
    """`(ended_with, passive_text, message_id)` each."""
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {_MESSAGE} SET ended_with = %s, passive_text = %s WHERE id = %s", rows)


def release_pushes(message_ids: Sequence[int]) -> None:
    """Ended with `success` before there was an answer: what comes now goes out by the API."""
    _run(
        f"UPDATE {_MESSAGE} SET hold = 'released', ended_with = 'success' WHERE id IN ({_marks(message_ids)})",
        *message_ids,
    )


def replies_sent_passively(reply_ids: Sequence[int], now: datetime) -> None:
    _run(
        f"UPDATE {_REPLY} SET state = 'sent', channel = 'passive', sent_at = %s WHERE id IN ({_marks(reply_ids)})",
        to_database(now),
        *reply_ids,
    )


# --- Delivery by the API --------------------------------------------------------------------------------------------


def lock_conversation(conversation_id: int) -> int | None:
    """Its owner's version; the row stays locked until the transaction ends."""
    found = _read(f"SELECT owner_version FROM {_CONVERSATION} WHERE id = %s{_for_update()}", conversation_id)
    return found[0][0] if found else None


_UNSENT = _Joined(
    r=(Reply, "id conversation_id message_id part author owner_version text state tries due_at"),
    co=(Conversation, "id account_id customer_id"),
    cu=(Customer, "id openid message_sends_left message_window_until event_sends_left event_window_until"),
    m=(Message, "id hold hold_until ended_with"),
)


def first_unsent_reply(conversation_id: int) -> Reply | None:
    """The oldest reply that is ready or being sent, with its message, conversation and customer."""
    found = _read(
        f"SELECT {_UNSENT.columns} FROM {_REPLY} r"
        f" JOIN {_CONVERSATION} co ON co.id = r.conversation_id JOIN {_CUSTOMER} cu ON cu.id = co.customer_id"
        f" LEFT JOIN {_MESSAGE} m ON m.id = r.message_id"
        " WHERE r.conversation_id = %s AND r.state IN ('ready', 'sending') ORDER BY r.created_at, r.id LIMIT 1",
        conversation_id,
    )
    if not found:
        return None
    reply, conversation, customer, message = _UNSENT.instances(found[0])
    reply.conversation, reply.message = conversation, message
    conversation.customer = customer
    return reply


def start_sending(reply_id: int, tries: int, until: datetime) -> bool:
    sql = f"UPDATE {_REPLY} SET state = 'sending', tries = %s, lease_until = %s WHERE id = %s AND state = 'ready'"
    return _run(sql, tries, to_database(until), reply_id) == 1


def reply_sent(reply_id: int, now: datetime) -> None:
    _run(
        f"UPDATE {_REPLY} SET state = 'sent', channel = 'api', sent_at = %s, reason = ''"
        " WHERE id = %s AND state IN ('sending', 'unknown')",
        to_database(now),
        reply_id,
    )


def last_sent(conversation_id: int, since: datetime) -> datetime | None:
    found = _read(
        f"SELECT MAX(sent_at) FROM {_REPLY} WHERE conversation_id = %s AND state = 'sent' AND sent_at > %s",
        conversation_id,
        to_database(since),
    )
    return from_database(found[0][0])


def count_sent_by_api(message_id: int | None) -> int:
    return int(_read(f"SELECT COUNT(*) FROM {_REPLY} WHERE message_id = %s AND channel = 'api'", message_id)[0][0])


def ready_parts_behind(message_id: int | None, part: int) -> int:
    sql = f"SELECT COUNT(*) FROM {_REPLY} WHERE message_id = %s AND part > %s AND state = 'ready'"
    return int(_read(sql, message_id, part)[0][0])


def has_unsent_reply(conversation_id: int) -> bool:
    sql = f"SELECT 1 FROM {_REPLY} WHERE conversation_id = %s AND state IN ('ready', 'sending', 'waiting') LIMIT 1"
    return bool(_read(sql, conversation_id))


def has_ready_reply(conversation_id: int) -> bool:
    sql = f"SELECT 1 FROM {_REPLY} WHERE conversation_id = %s AND state = 'ready' LIMIT 1"
    return bool(_read(sql, conversation_id))


def spend_event_send(customer_id: int, now: datetime) -> bool:
    sql = (
        f"UPDATE {_CUSTOMER} SET event_sends_left = event_sends_left - 1"
        " WHERE id = %s AND event_sends_left > 0 AND event_window_until > %s"
    )
    return _run(sql, customer_id, to_database(now)) == 1


def spend_message_send(customer_id: int) -> bool:
    sql = f"UPDATE {_CUSTOMER} SET message_sends_left = message_sends_left - 1 WHERE id = %s AND message_sends_left > 0"
    return _run(sql, customer_id) == 1
