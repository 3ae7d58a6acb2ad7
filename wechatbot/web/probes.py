"""`/healthz`: this process is alive. `/readyz`: it can do its work, and if not, what is missing.

Both stand beside Django, so that slow pages, or many of them, never look like a dead process.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from webhook.http import Receive, Response, Scope, Send, write

# What is missing, and whose clock differs by how much.
Seen = tuple[list[str], dict[str, float]]

PATHS = ("/healthz", "/readyz")
FRESH_SECONDS = 1.0
# Redis answers or refuses within half a second; what takes so long is the database.
MAY_TAKE_SECONDS = 3.0
_HEADERS = ((b"cache-control", b"no-store"),)


def _json(status: int, values: dict[str, object]) -> Response:
    return Response(status, json.dumps(values).encode(), b"application/json", _HEADERS)


ALIVE = _json(200, {"status": "alive"})
NOT_ALLOWED = Response(405, b"method not allowed", headers=((b"allow", b"GET, HEAD"),))


class Probes:
    """`missing_parts` looks at database, Redis and workers, `skewed_clocks` at their clocks, both
    off the event loop. A wrong clock is said, and nobody is unready for it.
    """

    def __init__(
        self,
        missing_parts: Callable[[], list[str]],
        skewed_clocks: Callable[[], dict[str, float]] = dict,
    ) -> None:
        self._missing_parts = missing_parts
        self._skewed_clocks = skewed_clocks
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readyz")
        self._look: asyncio.Future[Seen] | None = None
        self._fresh_until = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await write(send, NOT_ALLOWED)
        elif scope["path"] == "/healthz":
            await write(send, ALIVE)
        else:
            await write(send, await self._readiness())

    async def _readiness(self) -> Response:
        # Shielded: who asked may go, the look goes on for the others.
        look = asyncio.shield(self._look_of_now())
        try:
            missing, clocks = await asyncio.wait_for(look, MAY_TAKE_SECONDS)
        except TimeoutError:
            missing, clocks = ["database"], {}
        said: dict[str, object] = {"missing": missing}
        if clocks:
            said["skewed_clocks"] = clocks
        if missing:
            return _json(503, {"status": "not ready", **said})
        return _json(200, {"status": "ready", **said})

    def _look_of_now(self) -> asyncio.Future[Seen]:
        """One look at a time, and each is good for a second after its end."""
        loop = asyncio.get_running_loop()
        if self._look is not None and (not self._look.done() or loop.time() < self._fresh_until):
            return self._look
        self._look = loop.run_in_executor(self._thread, self._see)
        self._look.add_done_callback(self._looked)
        return self._look

    def _see(self) -> Seen:
        return self._missing_parts(), self._skewed_clocks()

    def _looked(self, look: asyncio.Future[Seen]) -> None:
        self._fresh_until = look.get_loop().time() + FRESH_SECONDS
