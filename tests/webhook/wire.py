"""The callback in this process: requests of the poster, driven into the ASGI endpoint without a
server.

The endpoint lives on an event loop in a thread of its own, as in production, so that a test's own
thread can be the worker that answers meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from tests.worlds.poster import Request
from webhook.callback import Callback
from webhook.door import Door

WAIT = 20


@dataclass(frozen=True)
class Answer:
    """What WeChat read. No answer at all is None."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The words of a plain passive reply."""
        return ElementTree.fromstring(self.body).findtext("Content") or ""


class Delivery:
    """One request under way. WeChat may cut it."""

    def __init__(self, wire: Wire, request: Request) -> None:
        self._loop = wire.loop
        self._gone = asyncio.Event()
        # In two pieces, as a network may bring them.
        half = len(request.body) // 2
        self._unread = [(request.body[:half], True), (request.body[half:], False)]
        self._future: Future[Answer | None] = asyncio.run_coroutine_threadsafe(
            self._go(wire, request), wire.loop
        )

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._gone.set)

    def answer(self) -> Answer | None:
        return self._future.result(WAIT)

    @property
    def is_open(self) -> bool:
        return not self._future.done()

    @property
    def body_was_touched(self) -> bool:
        return len(self._unread) < 2

    async def _go(self, wire: Wire, request: Request) -> Answer | None:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if self._unread:
                body, more = self._unread.pop(0)
                return {"type": "http.request", "body": body, "more_body": more}
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            sent.append(event)

        await wire.callback(_scope(request), receive, send)
        if not sent:
            return None
        start, body = sent
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        assert headers["content-length"] == str(len(body["body"]))
        return Answer(start["status"], body["body"], headers)


class Wire:
    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.door = Door()
        self.callback = Callback(self.door)
        threading.Thread(target=self.loop.run_forever, name="event-loop", daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(WAIT)

    async def _open(self) -> None:
        self.door.open()

    def close(self) -> None:
        async def end() -> None:
            self.door.close()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(WAIT)
        self.loop.call_soon_threadsafe(self.loop.stop)

    def start(self, request: Request) -> Delivery:
        return Delivery(self, request)

    def send(self, request: Request) -> Answer | None:
        return self.start(request).answer()

    def is_idle(self) -> bool:
        """No request is open, and no thread has anything left to answer."""
        return not len(self.door.waiters) and not self.door._queued_answers


def _scope(request: Request) -> dict[str, Any]:
    """The request as an ASGI server hands it on."""
    return {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query.encode(),
        "headers": [(b"x-request-id", request.request_id.encode())] if request.request_id else [],
    }
