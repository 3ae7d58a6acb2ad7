"""Waking the request that waits for a reply, in this process or through Redis in another.

A wake is a hint: whoever waits looks at the row again once a second, and at its deadline.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from common.redis import REDIS_AWAY, redis

logger = logging.getLogger(__name__)

WAKE_CHANNEL = "wechatbot:wake"


def _nobody_waits_here(message_id: int) -> bool:
    return False


_wake_here: Callable[[int], bool] = _nobody_waits_here


def listen_here(wake_here: Callable[[int], bool]) -> None:
    """The web process says how to wake its own requests; it answers whether one was waiting."""
    global _wake_here
    _wake_here = wake_here


def wake(message_id: int) -> None:
    if _wake_here(message_id):
        return
    try:
        redis().publish(WAKE_CHANNEL, message_id)
    except REDIS_AWAY:
        logger.info("wake of message %s lost, its request looks again by itself", message_id)
