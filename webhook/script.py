"""A Lua script in Redis for a whole batch of pushes. Redis away: no result, and nobody waits for it
again at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common.redis import REDIS_AWAY, pause, paused, redis


def run(
    lua: str, keys: Sequence[str], arguments: Sequence[Any], *, without: str
) -> list[int] | None:
    """What the script returns, None while Redis is away; `without` says in the log what is missing
    then.
    """
    if paused():
        return None
    try:
        found: list[int] = redis().eval(lua, len(keys), *keys, *arguments)
    except REDIS_AWAY as error:
        pause(error, meanwhile=f"there is no {without}")
        return None
    return found
