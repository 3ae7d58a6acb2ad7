"""A handful of threads with lasting database connections, for processes with hundreds of threads.

A worker answers up to 300 messages at once, nearly all of them waiting for a model. Three hundred
threads must not mean three hundred connections, nor one opened for every statement: functions
marked `@database_work` run on a few threads that keep theirs. In every other process (tests, views,
commands) the mark does nothing.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

MYSQL_DEADLOCK = 1213
DEADLOCK_TRIES = 3

P = ParamSpec("P")
R = TypeVar("R")

_pool: ThreadPoolExecutor | None = None
_here = threading.local()


def start(threads: int) -> None:
    """From now on this process runs database work on `threads` threads of its own."""
    global _pool
    _pool = ThreadPoolExecutor(threads, thread_name_prefix="database", initializer=_mark_thread)


def _mark_thread() -> None:
    _here.is_database_thread = True


def renew_connection_here() -> None:
    """This thread does database work itself and keeps its connection meanwhile, so it may find it
    broken.
    """
    _here.renews = True


def database_work(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` on a database thread. A nested call runs where it is: a submit into its own
    pool would deadlock.

    A connection that broke is dropped and the function tried once more, and a transaction that the
    database chose to end a deadlock runs again, in every process. So the function must be safe to
    run twice: either its transaction failed as a whole, or its UPDATE names the state it expects.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if getattr(_here, "is_database_thread", False):
            return _again_after_deadlock(function, *args, **kwargs)
        if _pool is not None:
            return _pool.submit(_with_fresh_connection_on_error, function, *args, **kwargs).result()
        if getattr(_here, "renews", False):
            return _here_with_fresh_connection_on_error(function, *args, **kwargs)
        return _again_after_deadlock(function, *args, **kwargs)

    return run


def _here_with_fresh_connection_on_error(
    function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    """Only the outermost call starts anew: a nested one may be inside its transaction."""
    _here.is_database_thread = True
    try:
        return _with_fresh_connection_on_error(function, *args, **kwargs)
    finally:
        _here.is_database_thread = False


def _again_after_deadlock(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    for _ in range(DEADLOCK_TRIES):
        try:
            return function(*args, **kwargs)
        except OperationalError as error:
            if error.args[:1] != (MYSQL_DEADLOCK,) or connection.in_atomic_block:
                raise
    return function(*args, **kwargs)


def _with_fresh_connection_on_error(
    function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    try:
        return _again_after_deadlock(function, *args, **kwargs)
    except (OperationalError, InterfaceError):
        connection.close()
        return function(*args, **kwargs)
