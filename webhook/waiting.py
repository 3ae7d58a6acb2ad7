"""Requests of this process that wait for their reply: one Redis subscription wakes them all, and no
wake is trusted.

A request registers before anybody is asked for the answer, and a repeat looks at the row as soon as
it has registered: so no answer comes between. Once a second all of them are looked up by one query,
whatever was woken or lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Self

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from redis.asyncio import Redis
from redis.exceptions import RedisError

from conversations.models import OPEN_STATES, Message
from conversations.replies.wakes import WAKE_CHANNEL

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LOOK_CHUNK = 500
RECONNECT_PAUSE = 0.2


class Waiter:
    """One open request; it waits for as long as its `with` block runs.

    There are thousands of them at the same time: hence slots, and no generator behind the block.
    """

    __slots__ = ("_message_id", "_waiters", "future")

    def __init__(self, waiters: Waiters, message_id: int, loop: asyncio.AbstractEventLoop) -> None:
        self._waiters = waiters
        self._message_id = message_id
        # The body to write where it is known already, else None: look at the row.
        self.future: asyncio.Future[str | None] = loop.create_future()

    def __enter__(self) -> Self:
        self._waiters.add(self._message_id, self)
        return self

    def __exit__(self, *error: object) -> None:
        self._waiters.remove(self._message_id, self)

    def wake(self, text: str | None = None) -> None:
        if not self.future.done():
            self.future.set_result(text)

    def rearm(self, loop: asyncio.AbstractEventLoop) -> None:
        """The wake was idle: wait for the next one."""
        if self.future.done():
            self.future = loop.create_future()


class Waiters:
    """All open requests of this process. Touched by the event loop alone, but for
    `wake_from_thread`.
    """

    def __init__(self) -> None:
        self._by_message: dict[int, list[Waiter]] = defaultdict(list)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._by_message.values())

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def waiting(self, message_id: int) -> Waiter:
        """For a `with` block: a request that waits for the reply to this message."""
        assert self._loop is not None
        return Waiter(self, message_id, self._loop)

    def add(self, message_id: int, waiter: Waiter) -> None:
        self._by_message[message_id].append(waiter)

    def remove(self, message_id: int, waiter: Waiter) -> None:
        waiting = self._by_message[message_id]
        waiting.remove(waiter)
        if not waiting:
            del self._by_message[message_id]

    def wake(self, message_id: int, text: str | None = None) -> None:
        for waiter in self._by_message.get(message_id, ()):
            waiter.wake(text)

    def is_waiting_here(self, message_id: int) -> bool:
        return message_id in self._by_message

    def wake_from_thread(self, message_id: int, text: str | None = None) -> bool:
        """For threads of this process. Whether somebody waits here is read without a lock: a hint,
        as all wakes are.
        """
        if self._loop is None or message_id not in self._by_message:
            return False
        self._loop.call_soon_threadsafe(self.wake, message_id, text)
        return True

    def message_ids(self) -> list[int]:
        return list(self._by_message)


async def listen(waiters: Waiters) -> None:
    """The one subscription of this process, for ever: a lost Redis is asked again after a short
    pause.
    """
    while True:
        redis = Redis.from_url(settings.REDIS_URL, socket_timeout=None, health_check_interval=5)
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(WAKE_CHANNEL)
                async for event in subscription.listen():
                    if event["type"] == "message":
                        waiters.wake(int(event["data"]))
        except (RedisError, OSError, ValueError) as error:
            logger.info("wake subscription lost, connecting again: %s", error)
            await asyncio.sleep(RECONNECT_PAUSE)
        finally:
            await redis.aclose()


async def look_regularly(
    waiters: Waiters, in_thread: Callable[..., asyncio.Future[list[int]]]
) -> None:
    """Wake whoever's message was answered without a wake that reached us."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        message_ids = waiters.message_ids()
        for start in range(0, len(message_ids), LOOK_CHUNK):
            for message_id in await in_thread(
                answered_among, message_ids[start : start + LOOK_CHUNK]
            ):
                waiters.wake(message_id)


def answered_among(message_ids: Iterable[int]) -> list[int]:
    try:
        rows = Message.objects.filter(pk__in=message_ids).exclude(state__in=OPEN_STATES)
        return list(rows.values_list("pk", flat=True))
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        logger.info("could not look for answered messages: %s", error)
        return []
