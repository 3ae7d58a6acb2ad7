"""Waking the request that waits for a reply, in this process or through Redis in another.

A wake is a hint: whoever waits looks at the row again once a second, and at its deadline.
"""

from __future__ import annotations

import logging
from typing import Protocol

from common.redis import REDIS_AWAY, redis

logger = logging.getLogger(__name__)

WAKE_CHANNEL = "wechatbot:wake"


class Waiting(Protocol):
    """The open requests of a web process, as other threads may touch them."""

    def is_waiting_here(self, message_id: int) -> bool: ...

    def wake_from_thread(self, message_id: int, text: str | None = None) -> bool: ...


_here: Waiting | None = None


def listen_here(waiting: Waiting | None) -> None:
    """The web process says how to reach its own requests."""
    global _here
    _here = waiting


def is_waiting_here(message_id: int) -> bool:
    """Whether a request of this very process waits for the reply, so that it can be handed over by
    word of mouth.
    """
    return _here is not None and _here.is_waiting_here(message_id)


def hand_over_here(message_id: int, text: str) -> None:
    """The push was ended with `text` in the database: its request writes just that. If it has gone
    meanwhile, the push's next delivery gets the same from the row.
    """
    if _here is not None:
        _here.wake_from_thread(message_id, text)


def wake(message_id: int) -> None:
    if _here is not None and _here.wake_from_thread(message_id):
        return
    try:
        redis().publish(WAKE_CHANNEL, message_id)
    except REDIS_AWAY:
        logger.info("wake of message %s lost, its request looks again by itself", message_id)
