"""A process's copy of rows: read once, looked at again every few seconds.

A hot path needs accounts, words or models for every message and must not read their rows for each.
`Fresh` keeps one copy for all threads of the process:

- one thread looks for newer rows, the others go on with the copy there is;
- only where there is no copy, threads wait for the first one;
- while the database is away, the last copy serves;
- an edit in this process is seen here at once (`changed`), elsewhere at the next look.

With a version a look does not read the rows until the version has changed. The version under
`version_key` is a word in Redis that `changed` replaces. It is a random word, not a count: a Redis
that was emptied must not come back to a version that some process still knows.
"""

from __future__ import annotations

import logging
import threading
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from django.db import Error as DatabaseError
from django.db import connection, transaction

from common.database_threads import database_work
from common.redis import REDIS_AWAY, pause, paused, redis

logger = logging.getLogger(__name__)

T = TypeVar("T")

# An edit whose announcement never reached Redis is seen all the same.
RELOAD_SECONDS = 60.0
# While Redis is away nobody knows the version, and rows are read at most this often.
RELOAD_WITHOUT_REDIS_SECONDS = 4.0

_all: weakref.WeakSet[Fresh[Any]] = weakref.WeakSet()


@dataclass(slots=True)
class _Copy(Generic[T]):
    rows: T
    # None: read without a version, or inside a transaction that may look at an older state.
    version: str | None
    read_at: float
    look_at: float


class Fresh(Generic[T]):
    """`load` reads the rows, on a database thread where the process has such. A copy is replaced
    as a whole, so readers need no lock.

    `version`: where the rows have a version of their own, instead of the word under `version_key`.
    """

    def __init__(
        self,
        load: Callable[[], T],
        *,
        of: str,
        every: float,
        version_key: str = "",
        version: Callable[[], str | None] | None = None,
    ) -> None:
        self.load = load
        self.every = every
        self._of = of
        self._version_key = version_key
        self._version = self._shared_version if version_key else version
        self._copy: _Copy[T] | None = None
        # Serves where the database is away when the copy was dropped for an edit.
        self._last: _Copy[T] | None = None
        self._edits = 0
        # Nobody ever waits for `_looking`, so its holder may wait for a database thread; the
        # holder of `_reading` is one already, and those who wait for it wait for no other thread.
        self._looking = threading.Lock()
        self._reading = threading.Lock()
        _all.add(self)

    def get(self) -> T:
        copy = self._copy
        if copy is None:
            return self._first_look()
        if monotonic() < copy.look_at:
            return copy.rows
        return self._look_alone(copy)

    @property
    def is_fresh(self) -> bool:
        """Whether `get` returns without a look."""
        copy = self._copy
        return copy is not None and monotonic() < copy.look_at

    @property
    def known(self) -> T | None:
        """The copy as it is: for the event loop, and while the database is away."""
        copy = self._copy or self._last
        return None if copy is None else copy.rows

    def changed(self) -> None:
        """Call after every write of these rows: all processes read them again."""
        self._drop()
        transaction.on_commit(self._announce)

    def forget(self) -> None:
        """As in a process that has read nothing yet."""
        self._drop()
        self._last = None

    def _drop(self) -> None:
        self._edits += 1
        self._last, self._copy = self._copy or self._last, None

    def _announce(self) -> None:
        self._drop()
        if not self._version_key:
            return
        try:
            redis().set(self._version_key, uuid.uuid4().hex)
        except REDIS_AWAY as error:
            pause(error, meanwhile=f"other processes see changed {self._of} a little later")

    @database_work
    def _first_look(self) -> T:
        with self._reading:
            copy = self._copy
            return self._look(None) if copy is None else copy.rows

    def _look_alone(self, copy: _Copy[T]) -> T:
        if not self._looking.acquire(blocking=False):
            return copy.rows  # Another thread is looking.
        try:
            return self._look(copy)
        finally:
            self._looking.release()

    def _look(self, copy: _Copy[T] | None) -> T:
        began, edits = monotonic(), self._edits
        try:
            # Before the rows: a change in between is then seen at the next look.
            version = self._version() if self._version is not None else None
            if copy is not None and not self._is_old(copy, version, began):
                copy.look_at = began + self.every
                return copy.rows
            rows, is_settled = _read(self.load)
        except DatabaseError as error:
            return self._go_on_with_last(error)
        newest = _Copy(rows, version if is_settled else None, began, began + self.every)
        if edits == self._edits:
            self._copy, self._last = newest, None
        return rows

    def _is_old(self, copy: _Copy[T], version: str | None, now: float) -> bool:
        if self._version is None:
            return True
        if version is None:
            return now - copy.read_at >= RELOAD_WITHOUT_REDIS_SECONDS
        if version != copy.version:
            return True
        return bool(self._version_key) and now - copy.read_at >= RELOAD_SECONDS

    def _go_on_with_last(self, error: DatabaseError) -> T:
        copy = self._copy or self._last
        if copy is None:
            raise error
        logger.warning("%s cannot be read again, going on with the copy: %s", self._of, error)
        if self._copy is None:  # It is known to be old.
            copy.version = None
        copy.look_at = monotonic() + self.every
        self._copy = copy
        return copy.rows

    def _shared_version(self) -> str | None:
        """None: Redis is away. A Redis that lost its keys gets a new word, and all processes read
        the rows again.
        """
        if paused():
            return None
        try:
            word = redis().get(self._version_key)
            if word is None:
                redis().set(self._version_key, uuid.uuid4().hex, nx=True)
                word = redis().get(self._version_key)
        except REDIS_AWAY as error:
            pause(error, meanwhile=f"{self._of} are read again every few seconds")
            return None
        return word.decode() if isinstance(word, bytes) else None


def forget_all() -> None:
    """Every copy of this process (for tests: each one is a process that has read nothing yet)."""
    for copy in list(_all):
        copy.forget()


@database_work
def _read(load: Callable[[], T]) -> tuple[T, bool]:
    """The rows, and whether they are the newest committed ones."""
    return load(), not connection.in_atomic_block
