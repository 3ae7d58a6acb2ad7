"""A database whose answer to one statement gets lost: the statement is done, nobody hears of it.

On MariaDB the connection breaks behind a proxy. SQLite has no wire: its statements end with an
error after they were done.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from django.db import OperationalError, connection

from common import database_threads
from tests.at_once import at_once
from tests.services.lossy_proxy import LossyProxy


class LosingDatabase(Protocol):
    commands: list[str]

    def lose(self, number: int | None) -> None: ...

    @property
    def has_lost(self) -> bool: ...

    def join(self) -> None:
        """This thread's connection goes through it from now on."""


@contextmanager
def losing_database() -> Iterator[LosingDatabase]:
    if connection.vendor == "sqlite":
        yield _LosingFile()
        return
    server = connection.settings_dict["OPTIONS"]["unix_socket"]
    with (
        tempfile.TemporaryDirectory(prefix="wb-") as folder,
        LossyProxy(server, Path(folder)) as proxy,
    ):
        yield _LosingServer(proxy)


class _LosingServer:
    def __init__(self, proxy: LossyProxy) -> None:
        self._proxy = proxy
        self.lose = proxy.lose

    @property
    def commands(self) -> list[str]:
        return self._proxy.commands

    @property
    def has_lost(self) -> bool:
        return self._proxy.has_lost

    def join(self) -> None:
        settings = connection.settings_dict
        options = {**settings["OPTIONS"], "unix_socket": str(self._proxy.socket)}
        connection.settings_dict = {**settings, "OPTIONS": options}


class _LosingFile:
    def __init__(self) -> None:
        self.commands: list[str] = []
        self._lost: int | None = None

    def lose(self, number: int | None) -> None:
        self.commands.clear()
        self._lost = number

    @property
    def has_lost(self) -> bool:
        return self._lost is not None and len(self.commands) > self._lost

    def join(self) -> None:
        connection.execute_wrappers.append(self._execute)
        commit = connection._commit

        def commit_and_lose() -> None:
            commit()
            self._note("COMMIT")

        connection._commit = commit_and_lose

    def _execute(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        found = execute(sql, *arguments)
        self._note(sql)
        return found

    def _note(self, sql: str) -> None:
        self.commands.append(sql)
        if self._lost == len(self.commands) - 1:
            connection.connection.rollback()  # As a server does when a connection breaks.
            raise OperationalError(f"the answer to {sql[:20]} was lost")


@dataclass(frozen=True)
class Story:
    """`live` on a connection that loses answers; `check` behind it, on the test's own."""

    live: Callable[[], object]
    check: Callable[[], None]


def at_each_statement(database: LosingDatabase, prepare: Callable[[int], Story]) -> int:
    """Prepare a story and live it in a thread that renews its connection, once for each statement
    whose answer gets lost, until all of them had their turn. Returns how many they are.
    """
    for number in itertools.count():
        story = prepare(number)
        at_once(partial(_live, database, story, number))
        has_lost, said = database.has_lost, list(database.commands)
        try:
            story.check()
        except BaseException as error:
            error.add_note(f"lost: {said[number : number + 1]}")
            raise
        if not has_lost:
            return number
    raise AssertionError("a story has an end")


def _live(database: LosingDatabase, story: Story, number: int) -> None:
    database_threads.renew_connection_here()
    database.join()
    database.lose(number)
    story.live()
