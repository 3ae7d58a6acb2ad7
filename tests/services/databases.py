"""One empty database for a stack of real processes: an SQLite file, or one on a MariaDB server."""

from __future__ import annotations

import importlib
import os
import secrets
import sqlite3
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from tests.services.mariadb import PrivateMariaDB, mariadb_client


class Database(Protocol):
    url: str

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that constant `sql` gives; what it changes is committed."""

    def tables(self) -> list[str]: ...

    def drop(self) -> None: ...


class SQLiteFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqlite:///{path}"

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self._path, timeout=20)
        try:
            with connection:
                return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def tables(self) -> list[str]:
        return [row[0] for row in self.run("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def drop(self) -> None:
        """It goes with its folder."""


class OnMariaDB:
    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._name = f"stack_{secrets.token_hex(4)}"
        mariadb_client(socket, f"CREATE DATABASE {self._name} CHARACTER SET utf8mb4")
        self.url = f"mysql://root@localhost/{self._name}?unix_socket={socket}"

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        driver = importlib.import_module("MySQLdb")  # Not there where only SQLite is.
        connection = driver.connect(
            unix_socket=str(self._socket), user="root", database=self._name, charset="utf8mb4"
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
                cursor.execute(sql)
                rows = list(cursor.fetchall())
            connection.commit()
            return rows
        finally:
            connection.close()

    def tables(self) -> list[str]:
        return [row[0] for row in self.run("SHOW TABLES")]

    def drop(self) -> None:
        mariadb_client(self._socket, f"DROP DATABASE {self._name}")


def make_database(folder: Path, server: PrivateMariaDB | None = None) -> Database:
    """On `server`; without one, on what this test run is on (`DATABASE_URL`)."""
    if server is not None:
        return OnMariaDB(server.socket)
    here = urlsplit(os.environ.get("DATABASE_URL", ""))
    if here.scheme == "mysql":
        return OnMariaDB(Path(parse_qs(here.query)["unix_socket"][0]))
    return SQLiteFile(folder / "stack.sqlite3")
