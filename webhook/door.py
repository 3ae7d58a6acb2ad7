"""The callback's workroom in one web process: writers, waiters, the threads that answer, the
publisher.

Started with the event loop (ASGI lifespan). Nothing in it matters to a restart: the rows are the
truth.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from common import clock, database_threads, log_rows
from common.background import repeat_for_ever
from common.text import Words
from conversations import texts
from conversations.replies import wakes
from conversations.replies.passive import Fetch, PassiveReply, fetch_replies
from conversations.replies.queueing import queue_delivery
from conversations.turns.leases import new_claim
from knowledge.retrieval import matching
from webhook import refusals, waiting
from webhook.answering import QueuedTask, answer_here
from webhook.group_commit import GroupCommit, NotWritten, Settled, settle_here, wait_for_the_disk
from webhook.intake import Push, Taken, take_in
from webhook.tasks import queue_replies
from webhook.waiting import Waiters
from wechat import accounts

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

ANSWERING_THREADS = 4
# Past this many the sweep takes over: a queue in memory must not outgrow what the threads do in a
# few seconds.
MAX_WAITING_FOR_THREAD = 2000
MAX_TASKS_AT_ONCE = 50
GATHER_SECONDS = 0.05
# What a writer may take beyond a deadline: a commit that began just before it is still told.
STORE_GRACE_SECONDS = 0.2
FETCH_GRACE_SECONDS = 0.1
LATE_LOOK_SECONDS = 0.1
# How long it is tried to note what a customer was told while the database was too slow.
RECORD_SECONDS = 30.0
# How often the account's page is told that plain pushes are refused.
NOTE_PLAIN_SECONDS = 60.0


class Door:
    def __init__(self) -> None:
        self.waiters = Waiters()
        self._store: GroupCommit[Push, Taken] = GroupCommit(
            "store", take_in, self._settle, wait_for_the_disk
        )
        self._finish: GroupCommit[Fetch, PassiveReply] = GroupCommit(
            "finish", fetch_replies, self._settle
        )
        self._threads = ThreadPoolExecutor(
            ANSWERING_THREADS,
            thread_name_prefix="answer",
            initializer=database_threads.renew_connection_here,
        )
        self._look = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._queued_answers = 0
        self._noted_plain: dict[int, float] = {}
        self._count = threading.Lock()
        self._published_at = float("-inf")
        self._to_publish: queue.Queue[QueuedTask] = queue.Queue(MAX_WAITING_FOR_THREAD)
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsettled: list[tuple[float, asyncio.Future[Any]]] = []

    def prepare(self) -> None:
        """Read what the first requests need, before they come. A database that is away is no reason
        not to start.
        """
        clock.start()
        try:
            accounts.by_slug(None)
            texts.own_words.get()
            matching.match(Words(""))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("starting without the database: %s", error)
        finally:
            connection.close()

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.waiters.bind(self._loop)
        wakes.listen_here(self.waiters)
        log_rows.start()
        self._store.start()
        self._finish.start()
        repeat_for_ever("publish", self._publish)
        self._tasks = [
            asyncio.create_task(self._give_up_in_time()),
            asyncio.create_task(refusals.tell_regularly()),
            asyncio.create_task(waiting.listen(self.waiters)),
            asyncio.create_task(waiting.look_regularly(self.waiters, self._in_look_thread)),
        ]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._look.shutdown(wait=False, cancel_futures=True)

    async def take_in(self, push: Push, deadline: float) -> Taken:
        return await self._in_time(self._store, push, deadline, STORE_GRACE_SECONDS)

    async def fetch_reply(self, fetch: Fetch, deadline: float) -> PassiveReply:
        return await self._in_time(self._finish, fetch, deadline, FETCH_GRACE_SECONDS)

    def record(self, fetch: Fetch) -> None:
        """A fetch that nobody waits for, when the database has time again."""
        assert self._loop is not None
        self._finish.submit(fetch, self._loop.time() + RECORD_SECONDS).add_done_callback(
            self._recorded
        )

    def _recorded(self, future: Future[PassiveReply]) -> None:
        if error := future.exception():
            logger.warning("what a customer was told is not noted: %s", error)
        elif (conversation_id := future.result().deliver) is not None:
            self.queue_task(("deliver", conversation_id))

    def _in_time(
        self, writer: GroupCommit[Job, Outcome], job: Job, deadline: float, grace: float
    ) -> asyncio.Future[Outcome]:
        """The outcome, or NotWritten soon after the deadline whatever the writer does."""
        assert self._loop is not None
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._unsettled.append((deadline + grace, future))
        writer.submit(job, deadline, future)
        return future

    def _settle(self, outcomes: Sequence[Settled]) -> None:
        """From a writer's thread: the whole batch wakes the event loop once."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(settle_here, outcomes)

    async def _give_up_in_time(self) -> None:
        """A database that says nothing at all holds its writer up; the requests must go on.

        One look at all of them ten times a second, instead of a timer for each request. They do not
        stand in the order of their deadlines: a look at the answer is asked for at any moment of a
        hold.
        """
        assert self._loop is not None
        while True:
            await asyncio.sleep(LATE_LOOK_SECONDS)
            now = self._loop.time()
            for deadline, future in self._unsettled:
                if deadline <= now and not future.done():
                    future.set_exception(NotWritten("the database does not answer"))
            self._unsettled = [
                unsettled for unsettled in self._unsettled if not unsettled[1].done()
            ]

    def note_refused_plain(self, account_id: int) -> None:
        """For the account's page; once a minute is enough, however many come."""
        now = time.monotonic()
        if now < self._noted_plain.get(account_id, float("-inf")) + NOTE_PLAIN_SECONDS:
            return
        self._noted_plain[account_id] = now
        self._threads.submit(_note_refused_plain, account_id)

    def answer(self, push: Push) -> None:
        """Answer it here if no model is needed, off the event loop; else it goes to the worker."""
        with self._count:
            is_full = self._queued_answers >= MAX_WAITING_FOR_THREAD
            self._queued_answers += not is_full
        if is_full:
            logger.warning(
                "too many answers are waiting in this process, message %s is left to the sweep",
                push.id,
            )
            return
        future = self._threads.submit(_answer, push)
        future.add_done_callback(self._answered)

    def _answered(self, future: Future[list[QueuedTask]]) -> None:
        with self._count:
            self._queued_answers -= 1
        for task in future.result() if not future.cancelled() else ():
            self.queue_task(task)

    def queue_task(self, task: QueuedTask) -> None:
        try:
            self._to_publish.put_nowait(task)
        except queue.Full:
            logger.warning("the broker is slow, conversation %s is left to the sweep", task[1])

    def _publish(self) -> None:
        """Several conversations in one task: a publish costs a millisecond whatever it carries.

        The first goes at once; in a rush the following ones are gathered for a moment.
        """
        tasks = {self._to_publish.get(): None}
        time.sleep(max(self._published_at + GATHER_SECONDS - time.monotonic(), 0))
        while len(tasks) < MAX_TASKS_AT_ONCE:
            try:
                tasks[self._to_publish.get_nowait()] = None
            except queue.Empty:
                break
        queue_replies([conversation_id for what, conversation_id in tasks if what == "reply"])
        for what, conversation_id in tasks:
            if what == "deliver":
                queue_delivery(conversation_id)
        self._published_at = time.monotonic()

    def _in_look_thread(
        self, function: Callable[..., list[int]], *args: object
    ) -> asyncio.Future[list[int]]:
        return asyncio.get_running_loop().run_in_executor(self._look, function, *args)


def _note_refused_plain(account_id: int) -> None:
    """The push itself is in the log. A note that cannot be written now is written
    with a later one.
    """
    try:
        accounts.note_refused_plain(account_id)
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        logger.warning("a refused plain push is not on the account's page: %s", error)


def _answer(push: Push) -> list[QueuedTask]:
    """Runs in a thread that keeps its connection. Returns what is left to do elsewhere."""
    lease = new_claim()
    for tries_left in (1, 0):
        try:
            return answer_here(push.stored_message(), lease)
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            logger.warning(
                "message %s could not be answered here (%d tries left): %s",
                push.id,
                tries_left,
                error,
            )
        except Exception:
            # A thread's error would vanish with its future. The sweep then leaves the message to
            # the worker.
            logger.exception("message %s could not be answered here", push.id)
            break
    return []
