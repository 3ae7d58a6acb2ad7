"""The database goes away under a running product: each database in the ways that it can."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.mariadb import PrivateMariaDB

IS_MARIADB = os.environ.get("DATABASE_URL", "").startswith("mysql")
# frozen: connections stay open and say nothing. killed: refused, and recovered at its start.
# locked: SQLite's only way.
WAYS = ("frozen", "killed") if IS_MARIADB else ("locked",)


@contextmanager
def outage(way: str, *, server: PrivateMariaDB | None, url: str) -> Iterator[None]:
    if way == "locked":
        with _locked(url.removeprefix("sqlite:///")):
            yield
        return
    assert server is not None
    server.process.freeze() if way == "frozen" else server.kill()
    try:
        yield
    finally:
        server.process.thaw() if way == "frozen" else server.start()


@contextmanager
def _locked(path: str) -> Iterator[None]:
    """Somebody writes and does not end: a backup tool, a hung process."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=20)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()
