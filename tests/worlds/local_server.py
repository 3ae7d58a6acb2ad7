"""HTTP/1.1 with keep-alive on a local port, as much of it as our clients need.

In a test the server lives in a thread: `with ApiServer() as wechat:`. For a benchmark it is a
process of its own, and `run` never returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlsplit

import uvloop


@dataclass(frozen=True)
class Received:
    """One request as it came. Names of headers are in lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class LocalServer:
    """A subclass answers in `respond`. `port` is 0 until the server listens; after `stop` a second
    `start` listens on the same port.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.connections = 0
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def respond(
        self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def start(self) -> None:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._live, args=(self._loop, ready), name=type(self).__name__, daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """From now on nobody listens there."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop = None

    def run(self) -> None:
        """Serve in this thread for ever, and print the address first."""
        uvloop.run(self._serve_for_ever())

    async def _serve_for_ever(self) -> None:
        listening = await self._listen()
        print(self.url, flush=True)
        await listening.serve_forever()

    def _live(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        listening = loop.run_until_complete(self._listen())
        ready.set()
        loop.run_forever()
        listening.close()
        loop.run_until_complete(_end_all_tasks())
        loop.close()

    async def _listen(self) -> asyncio.Server:
        listening = await asyncio.start_server(
            self._serve_connection,
            "127.0.0.1",
            self.port,
            ssl=self._tls,
            backlog=1024,
            reuse_address=True,
        )
        self.port = listening.sockets[0].getsockname()[1]
        return listening

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Until the client goes away, or the server ends."""
        self.connections += 1
        with contextlib.suppress(
            asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError
        ):
            while not writer.is_closing():
                await self.respond(await _read(reader), reader, writer)
                await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    target = urlsplit(head[0].split(" ")[1])
    fields = (line.partition(":") for line in head[1:])
    headers = {name.lower(): value.strip() for name, _, value in fields}
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    return Received(target.path, query, headers, body)


async def _end_all_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # Transports that were closed just now let go of their sockets.
