"""uvicorn's protocol with bounds on a head's size, and a note of what each connection is waited
for.

uvicorn bounds neither size nor time of a head for this parser. The notes cost a push some
dictionary entries; one look a second at all of them (`Waits.end_the_late`) spares a timer for each.
"""

from __future__ import annotations

import asyncio

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from wechatbot.web.bodies import seconds_for_body
from wechatbot.web.waits import HEAD_SECONDS, READING_SECONDS, Waits

MAX_HEAD = 32 * 1024
_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: "
    b"close\r\n\r\n"
)


class BoundedState(ServerState):
    def __init__(self, waits: Waits) -> None:
        super().__init__()
        self.waits = waits


class HeadTooLong(Exception):
    """Raised inside the parser, so that it stops."""


class BoundedProtocol(HttpToolsProtocol):
    def __init__(
        self,
        config: Config,
        server_state: BoundedState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._waits = server_state.waits
        # Bytes since the head began, as far as they came in pieces of their own.
        self._head_size = 0

    def end(self) -> None:
        self.transport.abort()

    @property
    def _is_in_head(self) -> bool:
        """Whether a request's head is awaited or unfinished; after the first request only if it has
        begun.
        """
        return self.cycle is None or self.cycle.scope is not self.scope

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        waits = self._waits
        waits.heads[self] = self.loop.time() + HEAD_SECONDS
        if len(self.connections) > waits.most_connections:
            waits.make_room(newcomer=self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._waits.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        waits = self._waits
        if self in waits.kept:
            del waits.kept[self]
            waits.heads[self] = self.loop.time() + HEAD_SECONDS
        self._head_size += len(data)
        super().data_received(data)
        if self._is_in_head:
            if self._head_size > MAX_HEAD and not self.transport.is_closing():
                self._refuse_head()
            return
        self._head_size = 0
        if not self.cycle.more_body:
            waits.bodies.pop(self, None)
        elif self not in waits.bodies:
            waits.bodies[self] = self.loop.time() + seconds_for_body(self.scope["path"])

    def on_headers_complete(self) -> None:
        # Pieces that hold more than this head are rare and counted exactly.
        if self._head_size > MAX_HEAD and self._exact_head_size() > MAX_HEAD:
            raise HeadTooLong
        super().on_headers_complete()
        self._waits.heads.pop(self, None)

    def _exact_head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def send_400_response(self, msg: str) -> None:
        if self._is_in_head and self._head_size > MAX_HEAD:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def _refuse_head(self) -> None:
        self.transport.write(_TOO_LONG)
        self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._waits.heads[self] = self.loop.time() + HEAD_SECONDS
        elif self.cycle.response_complete and not self.cycle.more_body:
            self._waits.kept[self] = None

    def handle_websocket_upgrade(self) -> None:
        """From here on the connection belongs to another protocol, with times of its own."""
        self._waits.forget(self)
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        self._waits.readers[self] = self.loop.time() + READING_SECONDS
        super().pause_writing()

    def resume_writing(self) -> None:
        self._waits.readers.pop(self, None)
        super().resume_writing()
