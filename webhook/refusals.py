"""What is said of refused pushes: one log line per account and second, with a count. A flood must
not fill the log.

The first one of an account is told at once. Those that follow are counted, and told by one line a
second.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import dataclass

logger = logging.getLogger(__name__)

SECOND = 1.0
LOOK_SECONDS = 1.0


@dataclass
class _Second:
    began: float
    count: int = 0
    last: str = ""


_seconds: dict[str, _Second] = {}
# A writer's thread and the event loop both refuse.
_lock = threading.Lock()


def note(account: str, why: str) -> None:
    with _lock:
        second = _seconds.get(account)
        if second is not None:
            second.count += 1
            second.last = why
            return
        _seconds[account] = _Second(time.monotonic())
    logger.warning("account %s: %s", account, why)


def tell() -> None:
    """Say what was counted in the seconds that are over."""
    now = time.monotonic()
    with _lock:
        over = {name: one for name, one in _seconds.items() if now - one.began >= SECOND}
        for account, second in over.items():
            if second.count:
                _seconds[account] = _Second(now)
            else:
                del _seconds[account]
    for account, second in over.items():
        if second.count:
            logger.warning(
                "account %s: %d more refused, the last: %s", account, second.count, second.last
            )


async def tell_regularly() -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        tell()


def forget() -> None:
    with _lock:
        _seconds.clear()
