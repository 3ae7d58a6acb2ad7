"""Log rows written a little later, many in one transaction, by one thread of a busy process.

A log must neither slow an answer down nor lose it. In the web process and the workers (`start`)
rows wait for at most a fifth of a second; a process that is killed loses those, and only those.
Everywhere else they are written at once.
"""

from __future__ import annotations

import atexit
import logging
import queue
import time
from collections import defaultdict
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Model

from common.background import repeat_for_ever
from common.database_threads import database_work

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2
# While the database is away rows wait, up to this many; what comes after is only in the process's
# own log.
MAX_WAITING = 20_000
GIVE_UP_SECONDS = 60.0

_waiting: queue.Queue[Model] | None = None


def start() -> None:
    """From now on rows of this process are written by a thread of their own."""
    global _waiting
    if _waiting is None:
        waiting = _waiting = queue.Queue(MAX_WAITING)
        repeat_for_ever("log-rows", lambda: _write_waiting(waiting))
        atexit.register(flush)


def keep(rows: Sequence[Model]) -> None:
    """Write these rows down, if that can be done; never raises for a row's
    or the database's sake.
    """
    if _waiting is None:
        _write_now(rows)
        return
    for row in rows:
        try:
            _waiting.put_nowait(row)
        except queue.Full:
            logger.error("a log row is lost, too many wait for the database: %s", row)


def flush() -> None:
    """Write what waits, at the end of the process: on this thread, for the pool of the others has
    ended before.
    """
    rows = _take(_waiting) if _waiting is not None else []
    if rows:
        _write(rows)


@database_work
def _write_now(rows: Sequence[Model]) -> None:
    _write(rows)


def _write(rows: Sequence[Model]) -> None:
    try:
        _insert([_writable(row) for row in rows])
    except Exception:
        # A row with a value that no column takes: a log line, never somebody's answer.
        logger.exception("log rows could not be written: %s", [str(row) for row in rows])


def _writable(row: Model) -> Model:
    """Half an emoji, cut off by whoever sent it, is no character that a database could store."""
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, str):
            setattr(row, field.attname, value.encode("utf-8", "replace").decode("utf-8"))
    return row


def _insert(rows: Sequence[Model]) -> None:
    by_model: dict[type[Model], list[Model]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row)
    # A transaction of its own: a caller's stays usable when this one fails.
    with transaction.atomic():
        for model, its_rows in by_model.items():
            model._default_manager.bulk_create(its_rows)


def _write_waiting(waiting: queue.Queue[Model]) -> None:
    rows = [waiting.get()]
    time.sleep(PAUSE_SECONDS)
    rows += _take(waiting)
    _write_when_possible(rows)


def _take(waiting: queue.Queue[Model]) -> list[Model]:
    rows: list[Model] = []
    while True:
        try:
            rows.append(waiting.get_nowait())
        except queue.Empty:
            return rows


def _write_when_possible(rows: list[Model]) -> None:
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < give_up_at:
        try:
            _insert(rows)
            return
        except (OperationalError, InterfaceError) as error:
            connection.close()
            logger.warning("%d log rows wait for the database: %s", len(rows), error)
            time.sleep(1)
        except Exception:  # noqa: BLE001 - one by one it turns out which row it was, and why
            break
    _one_by_one(rows)


def _one_by_one(rows: Sequence[Model]) -> None:
    """One bad row must not take the others with it."""
    for row in rows:
        _write_now([row])
