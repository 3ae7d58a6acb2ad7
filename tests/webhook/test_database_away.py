"""Another try, or not: what the database says when it is away, and when a row is bad."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from django.db import InterfaceError, OperationalError

from webhook.database_away import is_away


@pytest.mark.parametrize(
    "number", [1021, 1040, 1053, 1205, 1213, 1290, 1792, 1927, 2002, 2003, 2006, 2013, 2055]
)
def test_it_knows_a_server_that_is_away(number: int) -> None:
    assert is_away(OperationalError(number, "not now"))


@pytest.mark.parametrize("number", [1054, 1153, 1264, 1300, 1366, 1406, 3140, 3988, 4025])
def test_it_knows_a_bad_row(number: int) -> None:
    assert not is_away(OperationalError(number, "never"))


@pytest.mark.parametrize(
    "error", [InterfaceError(0, ""), OperationalError(), OperationalError("who knows")], ids=repr
)
def test_it_tries_again_when_it_cannot_tell(error: OperationalError | InterfaceError) -> None:
    assert is_away(error)


def as_django_raises(error: sqlite3.Error) -> OperationalError:
    raised = OperationalError(*error.args)
    raised.__cause__ = error
    return raised


def sqlite_error(path: Path | str, *statements: str) -> OperationalError:
    connection = sqlite3.connect(path, timeout=0)
    try:
        *before, last = statements
        for statement in before:
            connection.execute(statement)
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute(last)
    finally:
        connection.close()
    return as_django_raises(raised.value)


def test_it_knows_an_sqlite_file_that_cannot_be_written_now(tmp_path: Path) -> None:
    file = tmp_path / "one.sqlite3"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TABLE words (word)")
    other.execute("BEGIN EXCLUSIVE")
    assert is_away(sqlite_error(file, "BEGIN IMMEDIATE"))
    other.close()
    assert is_away(sqlite_error(file, "PRAGMA query_only = 1", "INSERT INTO words VALUES ('a')"))
    fill = "INSERT INTO words VALUES (zeroblob(100000))"
    assert is_away(sqlite_error(file, "PRAGMA max_page_count = 4", fill))
    assert is_away(sqlite_error(":memory:", f"ATTACH '{tmp_path}/nowhere/one.sqlite3' AS one"))


def test_it_knows_a_statement_that_sqlite_never_takes() -> None:
    assert not is_away(sqlite_error(":memory:", "INSERT INTO nowhere VALUES (1)"))
