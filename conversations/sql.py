"""What the statements that every message runs have in common: tables, running and reading, moments
as a database takes them, joined rows.

They are constant SQL. The ORM builds the same ones at about ten times the cost, and a message runs
twenty of them. Each stands beside the story that runs it, and works on MySQL, MariaDB and SQLite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple, Self

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from django.db.models import NOT_PROVIDED, Field, Model
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


def quoted(*values: Enum) -> str:
    """Values of an enum as a statement names them: 'ready', 'sending'."""
    return ", ".join(_literal(value.value) for value in values)


_as_json = json.JSONEncoder(ensure_ascii=False).encode

Converter = Callable[[Any], Any]
# How a value of Python is stored, and how it is read, by the class of its field. None: as it is.
_STORED: dict[type[Field[Any, Any]], Converter | None] = {
    models.DateTimeField: to_database,
    models.JSONField: _as_json,
    models.BooleanField: None,
    models.IntegerField: None,
    models.ForeignKey: None,
    models.CharField: None,
    models.TextField: None,
}


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


_READ: dict[type[Field[Any, Any]], Converter] = {
    models.DateTimeField: from_database,
    models.JSONField: _from_json,
    models.BooleanField: bool,
}


def _storing(field: Field[Any, Any]) -> Converter | None:
    if field.choices:
        return str  # A member of an enum is stored as its value.
    for kind, convert in _STORED.items():
        if isinstance(field, kind):
            return convert
    raise ImproperlyConfigured(f"{field}: say in `_STORED` how its values are stored")


def _reading(field: Field[Any, Any]) -> Converter | None:
    return next((convert for kind, convert in _READ.items() if isinstance(field, kind)), None)


def _literal(value: str | int | bool | None) -> str:
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return str(int(value))
    if not {"'", "%", "\\"}.isdisjoint(value):
        raise ImproperlyConfigured(f"{value!r} cannot stand in a statement")
    return f"'{value}'"


class Insert:
    """An INSERT into one table. Its columns and their defaults are the model's, read once.

    Whoever runs it gives the values of `given`, in this order; `expressions` are columns that the
    statement itself computes. Every other column holds the model's default. A column that would
    then have no value is an error at import: databases store '' for it, or drop the row.
    """

    def __init__(
        self,
        model: type[Model],
        given: Iterable[str],
        expressions: Mapping[str, str] | None = None,
    ) -> None:
        fields = {field.attname: field for field in model._meta.concrete_fields}
        self.given = tuple(given)
        self._table = model._meta.db_table
        self._converters = [
            (index, convert)
            for index, name in enumerate(self.given)
            if (convert := _storing(fields[name])) is not None
        ]
        places = dict.fromkeys(self.given, "%s") | dict(expressions or {})
        for name, field in fields.items():
            if name not in places and (default := _constant_default(field)) is not None:
                places[name] = default
        self.columns = tuple(places)
        self._places = ", ".join(places.values())

    def run(self, rows: Sequence[Sequence[Any]], *, known_are_left_out: bool = False) -> Inserted:
        """`known_are_left_out`: a row whose key is taken is no error."""
        values: list[Any] = []
        for row in rows:
            values += self._stored(row)
        places = ", ".join([f"({self._places})"] * len(rows))
        return insert(f"{self._head(known_are_left_out)} VALUES {places}", *values)

    def run_from(self, source: str, row: Sequence[Any], *values: Any) -> Inserted:
        """One row, whose expressions are of `source` (FROM … WHERE …) and its `values`. It is left
        out where its key is taken.
        """
        sql = f"{self._head(True)} SELECT {self._places} {source}"
        return insert(sql, *self._stored(row), *values)

    def _head(self, known_are_left_out: bool) -> str:
        verb = insert_ignore() if known_are_left_out else "INSERT"
        return f"{verb} INTO {self._table} ({', '.join(self.columns)})"

    def _stored(self, row: Sequence[Any]) -> list[Any]:
        stored = list(row)
        for index, convert in self._converters:
            stored[index] = convert(stored[index])
        return stored


def _constant_default(field: Field[Any, Any]) -> str | None:
    """The value of a column that nobody gives, as it stands in the statement. None: the database
    has one itself.
    """
    if isinstance(field, models.AutoField) or field.db_default is not NOT_PROVIDED:
        return None
    if field.default in (dict, list):
        return _literal(_as_json(field.default()))
    if field.has_default() and not callable(field.default):
        convert = _storing(field)
        return _literal(convert(field.default) if convert else field.default)
    if field.null:
        return None
    if field.blank and field.empty_strings_allowed and not field.has_default():
        return "''"
    raise ImproperlyConfigured(f"{field}: no INSERT gives it a value, and it has no constant one")


def _fields(model: type[Model], names: str) -> list[Field[Any, Any]]:
    """In the order of the model's own, as `from_db` wants them."""
    wanted = names.split()
    found = [field for field in model._meta.concrete_fields if field.attname in wanted]
    if len(found) != len(wanted):
        raise ImproperlyConfigured(f"{model.__name__} has not all of {wanted}")
    return found


class _Columns(NamedTuple):
    """What is read of one table."""

    model: type[Model]
    names: tuple[str, ...]
    converters: tuple[Converter | None, ...]

    @classmethod
    def of(cls, model: type[Model], names: str) -> Self:
        fields = _fields(model, names)
        own = tuple(field.attname for field in fields)
        return cls(model, own, tuple(_reading(field) for field in fields))


class Joined:
    """A SELECT over joined tables, read into model instances. What is not read here loads when it
    is asked.
    """

    def __init__(self, **tables: tuple[type[Model], str]) -> None:
        by_alias = {alias: _Columns.of(*table) for alias, table in tables.items()}
        self._tables = list(by_alias.values())
        self.columns = ", ".join(
            f"{alias}.{name}" for alias, columns in by_alias.items() for name in columns.names
        )

    def instances(self, row: Row) -> list[Any]:
        """One instance per table; None where an outer join found nothing."""
        values = iter(row)
        found = []
        for model, names, converters in self._tables:
            own = [convert(next(values)) if convert else next(values) for convert in converters]
            found.append(None if own[0] is None else model.from_db(connection.alias, names, own))
        return found
