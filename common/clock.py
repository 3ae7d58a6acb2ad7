"""The one clock that leases, due times and windows are compared on: the database's.

Several hosts share one database, and their own clocks differ. `start` measures how far the
database's clock is from a clock of this machine that nobody can set, and measures again every half
minute. So `now` costs no statement, and a host whose clock is wrong, or is stepped, does no harm.
While the database is away the last measure holds. SQLite has no other clock than its host's; and a
process that never called `start` (a command, a test) goes by its host's clock too.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError, connection

from common.background import repeat_for_ever

logger = logging.getLogger(__name__)

MEASURE_SECONDS = 30.0
# Until there is a first one.
MEASURE_AGAIN_SECONDS = 1.0
# A process does not wait longer for it at its start: the database may be away.
FIRST_MEASURE_SECONDS = 5.0
# The quickest answer of a few says most: the clock was read somewhere between question and answer.
QUESTIONS = 3
# An answer that took longer says less than the measure before it.
LONGEST_ANSWER = 0.5
# What `/readyz` and the log name.
NOTABLE_SKEW = 5.0
_ASK = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"

# Goes on while the machine sleeps, where the system has such a clock.
_TICKING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
# The database's Unix time at tick 0; None: the host's clock is as good as we know.
_database_time_at_zero: float | None = None
_is_started = False
_has_tried = threading.Event()


def now() -> datetime:
    return datetime.fromtimestamp(unix_time(), UTC)


def unix_time() -> float:
    if _database_time_at_zero is None:
        return time.time()
    return _ticks() + _database_time_at_zero


def skew() -> float:
    """By how many seconds this host's clock is ahead of the database's; less than 0: behind it."""
    if _database_time_at_zero is None:
        return 0.0
    return time.time() - _ticks() - _database_time_at_zero


def notable_skew() -> float | None:
    """In tenths of a second; None: host and database agree well enough."""
    ahead = skew()
    return round(ahead, 1) if abs(ahead) > NOTABLE_SKEW else None


def start() -> None:
    """From now on this process goes by the database's clock; it waits a moment for the first
    measure.
    """
    global _is_started
    if _is_started or connection.vendor == "sqlite":
        return
    _is_started = True
    repeat_for_ever("clock", _measure_and_rest)
    _has_tried.wait(FIRST_MEASURE_SECONDS)


def _measure_and_rest() -> None:
    _measure_and_close()
    _has_tried.set()
    time.sleep(MEASURE_AGAIN_SECONDS if _database_time_at_zero is None else MEASURE_SECONDS)


def _measure_and_close() -> None:
    """A connection that is kept for a statement every half minute would be one of the server's."""
    try:
        measure()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the database's clock could not be read: %s", error)
    finally:
        connection.close()


def measure() -> None:
    """Ask the database a few times, and believe the quickest answer."""
    global _database_time_at_zero
    connection.ensure_connection()
    took, found = min(_ask() for _ in range(QUESTIONS))
    if took > LONGEST_ANSWER and _database_time_at_zero is not None:
        return
    known, _database_time_at_zero = notable_skew(), found
    if (ahead := notable_skew()) is not None and known is None:
        logger.warning(
            "this host's clock is %+.1f s from the database's, which is the one that counts", ahead
        )


def _ask() -> tuple[float, float]:
    """How long the answer took, and the database's time at tick 0."""
    asked = _ticks()
    with connection.cursor() as cursor:
        cursor.execute(_ASK)
        microseconds = cursor.fetchone()[0]
    took = _ticks() - asked
    return took, microseconds / 1e6 - (asked + took / 2)


def _ticks() -> float:
    return time.clock_gettime(_TICKING)
