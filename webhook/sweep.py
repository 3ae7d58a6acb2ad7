"""The sweep's own place, in the process that delivers: a thread that looks every five seconds, and
a few that send what it finds.

None of them stands behind the deliveries of the queue, however slow WeChat is, and no broker is
needed. A conversation is in hand once, so that nothing piles up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from common.background import repeat_for_ever
from conversations.replies import by_api
from webhook import recovery
from webhook.tasks import queue_replies

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
SENDING_THREADS = 10
# What the threads may do until the next look, if WeChat is quick.
MOST_IN_HAND = 200


class Overdue:
    """The conversations whose texts lie and that this process sends now."""

    def __init__(self, deliver: Callable[[int], object] = by_api.deliver) -> None:
        self._deliver = deliver
        self._threads = ThreadPoolExecutor(SENDING_THREADS, thread_name_prefix="overdue")
        self._in_hand: set[int] = set()
        self._lock = threading.Lock()

    @property
    def room(self) -> int:
        return MOST_IN_HAND - len(self._in_hand)

    def take(self, conversation_id: int) -> None:
        with self._lock:
            if conversation_id in self._in_hand:
                return
            self._in_hand.add(conversation_id)
        future = self._threads.submit(self._deliver, conversation_id)
        future.add_done_callback(partial(self._done, conversation_id))

    def _done(self, conversation_id: int, future: Future[object]) -> None:
        with self._lock:
            self._in_hand.discard(conversation_id)
        if error := future.exception():
            logger.error("conversation %s could not be delivered", conversation_id, exc_info=error)


def start() -> None:
    overdue = Overdue()
    repeat_for_ever("sweep", lambda: sweep_and_rest(overdue))


def sweep_and_rest(overdue: Overdue) -> None:
    recovery.pick_up_forgotten(queue_replies, overdue.take, most_deliveries=overdue.room)
    time.sleep(SWEEP_SECONDS)
