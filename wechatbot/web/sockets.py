"""How many WebSockets one process keeps open: each holds a file and a subscription for as long as a
page is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

MAX_SOCKETS = 256
# "Try again later": the page tries by itself.
TRY_AGAIN_LATER = 1013

Application = Callable[[Any, Any, Any], Awaitable[None]]


async def no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """For every path without a socket: refused without a word. A stranger's request is no error of
    ours to log.
    """
    await receive()
    await send({"type": "websocket.close"})


class BoundedSockets:
    def __init__(self, application: Application) -> None:
        self._application = application
        self._open = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._open >= MAX_SOCKETS:
            await receive()
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
            return
        self._open += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._open -= 1
