"""The one shared Redis connection pool of this process, with keys as they are (no prefix)."""

from __future__ import annotations

import logging
from time import monotonic

from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# Redis is away: a named tuple of what to catch where the product goes on without it.
REDIS_AWAY = (RedisError, OSError)
# A Redis that hangs costs its time limit at every try: after an error this process leaves it alone
# for a moment, wherever the error was met.
PAUSE_SECONDS = 1.0

_paused_until = float("-inf")


def redis() -> Redis:
    return get_redis_connection("default")


def paused() -> bool:
    """Whether Redis failed in this process a moment ago. Who can do without it need not try."""
    return monotonic() < _paused_until


def pause(error: Exception, *, meanwhile: str) -> None:
    """Call with an error of REDIS_AWAY; `meanwhile` tells the log what is done without Redis."""
    global _paused_until
    logger.warning("Redis is away, %s: %s", meanwhile, error)
    _paused_until = monotonic() + PAUSE_SECONDS


def resume() -> None:
    """Try Redis again at once (for tests that take it away and bring it back)."""
    global _paused_until
    _paused_until = float("-inf")
