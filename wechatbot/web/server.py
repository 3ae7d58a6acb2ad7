"""uvicorn's server with a look each second at who is late, and at whether files have run out."""

from __future__ import annotations

import asyncio
import errno
import logging
import os

import uvicorn

from wechatbot.web.protocol import BoundedState
from wechatbot.web.waits import Waits

logger = logging.getLogger(__name__)

TICKS_A_SECOND = 10
SAY_AGAIN_SECONDS = 10.0
# How many idle connections end when files have run out although the bound was kept.
ENDED_AT_ONCE = 64


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, file_limit: int) -> None:
        super().__init__(config)
        self._waits = Waits(file_limit)
        self.server_state = BoundedState(self._waits)
        self._said_at = float("-inf")

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            now = asyncio.get_running_loop().time()
            self._waits.end_the_late(now)
            if not can_open_a_file():
                self._files_ran_out(now)
        return await super().on_tick(counter)

    def _files_ran_out(self, now: float) -> None:
        """The event loop sheds what it cannot accept without a word (EMFILE):
        somebody must say it.
        """
        for _ in range(ENDED_AT_ONCE):
            if not self._waits.make_room():
                break
        if now - self._said_at < SAY_AGAIN_SECONDS:
            return
        self._said_at = now
        logger.error(
            "no file is left for a new connection (EMFILE): %d connections are open. Raise the "
            "limit of open files "
            "(ulimit -n, LimitNOFILE, ulimits in compose) or start another web process.",
            len(self.server_state.connections),
        )


def can_open_a_file() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in (errno.EMFILE, errno.ENFILE)
    return True
