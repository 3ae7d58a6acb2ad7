"""Group commit: requests that arrive together share one transaction of one writer thread with its
own connection.

Measured: it carries peaks (16 a batch at 3,000 pushes a second); at 200/s a batch is 1.3 requests.
A batch that fails is done again one by one, so that only the bad one fails. A database that is away
is tried until each job's deadline. What was waited for until the deadline is not committed after
it: its caller was told that nothing was stored.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from common.deadline import DeadlinePassed
from webhook.database_away import is_away

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")

MAX_BATCH = 64
# More than a process could store before WeChat's cut; what comes after is better refused at once.
MAX_QUEUED = 10_000
RETRY_PAUSE = 0.2
# In a rush a transaction waits this long for company: it costs the same for one request and for
# twenty.
BUSY_BATCH = 2
LINGER_SECONDS = 0.005


class NotWritten(Exception):
    """The database was away until the deadline, or the queue is full: nothing was stored, try again
    later.
    """


class CannotBeWritten(Exception):
    """This one failed by itself, alone in its transaction: another try would end the same way."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of one job, for whoever waits on `future`: a result, or an error."""

    future: Any
    result: Any = None
    error: Exception | None = None


# How outcomes get to those who wait. A web process carries a whole batch to its event loop at once.
Settle = Callable[[Sequence[Settled]], None]


def settle_here(outcomes: Iterable[Settled]) -> None:
    """Set the futures in this thread. One that was cancelled or given up
    meanwhile keeps its end.
    """
    for outcome in outcomes:
        if outcome.future.done():
            continue
        if outcome.error is not None:
            outcome.future.set_exception(outcome.error)
        else:
            outcome.future.set_result(outcome.result)


def wait_for_the_disk() -> None:
    """What was acknowledged outlives a power cut: each commit of this connection waits until it is
    on the disk.

    All others leave that to the next checkpoint (`synchronous=NORMAL`). MySQL's own default does
    wait.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")


class _Queued(Generic[Job]):
    __slots__ = ("deadline", "future", "job")

    def __init__(self, job: Job, deadline: float, future: Any) -> None:
        self.job = job
        self.deadline = deadline  # time.monotonic()
        self.future = future


class GroupCommit(Generic[Job, Result]):
    """Runs `write(jobs, latest)` for whatever is queued.

    `write` opens its own transaction, does not commit it after `latest` (then it raises
    DeadlinePassed), and returns one result per job. `prepare` makes each new connection of the
    thread ready.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[Job], float], Sequence[Result]],
        settle: Settle = settle_here,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._write = write
        self._settle = settle
        self._prepare = prepare
        self._queue: SimpleQueue[_Queued[Job]] = SimpleQueue()
        self._ready_connection: Any = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Job, deadline: float, future: Any = None) -> Any:
        """The future of the job's result: a concurrent one, unless the caller brings one that
        `settle` knows.
        """
        future = Future() if future is None else future
        if self._queue.qsize() < MAX_QUEUED:
            self._queue.put(_Queued(job, deadline, future))
        else:
            future.set_exception(NotWritten("too many requests are waiting to be stored"))
        return future

    def _run(self) -> None:
        is_busy = False
        while True:
            batch = [self._queue.get()]
            if is_busy:
                time.sleep(LINGER_SECONDS)
            while len(batch) < MAX_BATCH:
                try:
                    batch.append(self._queue.get_nowait())
                except Empty:
                    break
            is_busy = len(batch) >= BUSY_BATCH
            # A caller that has gone is no reason to write.
            self._write_until_done([queued for queued in batch if not queued.future.done()])

    def _write_until_done(self, batch: list[_Queued[Job]]) -> None:
        batch = self._still_in_time(batch, "its time was over in the queue")
        while batch:
            try:
                self._prepare_connection()
                latest = min(queued.deadline for queued in batch)
                results = self._write([queued.job for queued in batch], latest)
            except DeadlinePassed:
                batch = self._still_in_time(batch, "the database took too long")
            except (OperationalError, InterfaceError) as error:
                if not is_away(error):
                    self._write_one_by_one(batch, error)
                    return
                connection.close()
                logger.warning("database is away, %d requests wait: %s", len(batch), error)
                batch = self._still_in_time(batch, str(error))
                time.sleep(RETRY_PAUSE)
            except Exception as error:  # noqa: BLE001 - what one request carries must not end the thread for all
                self._write_one_by_one(batch, error)
                return
            else:
                pairs = zip(batch, results, strict=True)
                self._settle([Settled(queued.future, result) for queued, result in pairs])
                return

    def _prepare_connection(self) -> None:
        """It is another one after the database was away."""
        if self._prepare is None:
            return
        connection.ensure_connection()
        if connection.connection is not self._ready_connection:
            self._prepare()
            self._ready_connection = connection.connection

    def _write_one_by_one(self, batch: list[_Queued[Job]], error: Exception) -> None:
        if len(batch) == 1:
            logger.error(
                "a request could not be stored: %s",
                error,
                exc_info=not isinstance(error, DatabaseError),
            )
            self._settle([Settled(batch[0].future, error=CannotBeWritten(str(error)))])
            return
        for queued in batch:
            self._write_until_done([queued])

    def _still_in_time(self, batch: list[_Queued[Job]], reason: str) -> list[_Queued[Job]]:
        now = time.monotonic()
        late = [queued for queued in batch if queued.deadline <= now]
        if not late:
            return batch
        self._settle([Settled(queued.future, error=NotWritten(reason)) for queued in late])
        return [queued for queued in batch if queued.deadline > now]
