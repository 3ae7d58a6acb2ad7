"""A Lua script in Redis for a whole batch of pushes. Redis away: no result, and nobody waits for it
again at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from common.redis import REDIS_AWAY, redis

logger = logging.getLogger(__name__)

# After an error Redis is left alone for this long, so that a dead one costs one time-out a second,
# not one a batch.
PAUSE_AFTER_ERROR = 1.0

_left_alone_until = float("-inf")


def run(
    lua: str, keys: Sequence[str], arguments: Sequence[Any], *, without: str
) -> list[int] | None:
    """What the script returns, None while Redis is away; `without` says in the log what is missing
    then.
    """
    global _left_alone_until
    if time.monotonic() < _left_alone_until:
        return None
    try:
        found: list[int] = redis().eval(lua, len(keys), *keys, *arguments)
    except REDIS_AWAY as error:
        logger.warning("no %s while Redis is away: %s", without, error)
        _left_alone_until = time.monotonic() + PAUSE_AFTER_ERROR
        return None
    return found
