"""WeChat's API on a local port: keeps tokens, records what was sent, misbehaves as told.

`with FakeWeChat() as wechat:` then look at `wechat.sent`. Faults: `errors` (codes for the next
sends, in turn), `refuse_token()`, `latency`, `silent` (takes the request and never answers),
`stop()` and `start()` on the same port.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

SEND, TYPING = "/cgi-bin/message/custom/send", "/cgi-bin/message/custom/typing"
INVALID_CREDENTIAL = 40001


@dataclass(frozen=True)
class Sent:
    openid: str
    text: str
    token: str
    at: float = field(default_factory=time.monotonic)


class FakeWeChat:
    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.typing: list[dict[str, Any]] = []
        self.token_calls: list[dict[str, Any]] = []
        self.refusals = 0
        self.errors: deque[int] = deque()
        self.latency = 0.0
        self.silent = False
        self.port = 0
        self._tokens = 0
        self._refused: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> FakeWeChat:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return f"token-{self._tokens}"

    def start(self) -> None:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, ready), name="fake WeChat", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """From now on nobody listens there."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop = None

    def refuse_token(self) -> None:
        """The token of today is no longer good, as after a renewal elsewhere."""
        self._refused.add(self.token)

    def forget(self) -> None:
        """As after `start`, for the next test; the token stays good."""
        for kept in (self.sent, self.typing, self.token_calls, self.errors, self._refused):
            kept.clear()
        self.refusals, self.latency, self.silent = 0, 0.0, False

    def texts_to(self, openid: str) -> list[str]:
        return [sent.text for sent in self.sent if sent.openid == openid]

    def _run(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(
            asyncio.start_server(
                self._serve, "127.0.0.1", self.port, backlog=1024, reuse_address=True
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError
        ):
            while True:
                await self._serve_request(reader, writer)
        writer.close()

    async def _serve_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        target = urlsplit(head[0].split(" ")[1])
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
        }
        content = await reader.readexactly(int(headers.get("content-length") or 0))
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        if self.silent:
            await asyncio.sleep(3600)
        await asyncio.sleep(self.latency)
        answer = json.dumps(self._answer(target.path, query, content)).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(answer)}\r\n\r\n".encode()
            + answer
        )
        await writer.drain()

    def _answer(self, path: str, query: dict[str, str], content: bytes) -> dict[str, Any]:
        said = json.loads(content) if content else query
        if path in {"/cgi-bin/stable_token", "/cgi-bin/token"}:
            return self._give_token(said)
        token = query.get("access_token", "")
        if token != self.token or token in self._refused:
            self.refusals += 1
            return {
                "errcode": INVALID_CREDENTIAL,
                "errmsg": "invalid credential, access_token is invalid or not latest",
            }
        if path == SEND:
            return self._send(said, token)
        if path == TYPING:
            self.typing.append(said)
        return {"errcode": 0, "errmsg": "ok"}

    def _give_token(self, said: dict[str, Any]) -> dict[str, Any]:
        """As stable_token: the same one until it is refused or a new one is asked for by force."""
        self.token_calls.append(said)
        if self._tokens == 0 or said.get("force_refresh"):
            self._tokens += 1
        return {"access_token": self.token, "expires_in": 7200}

    def _send(self, said: dict[str, Any], token: str) -> dict[str, Any]:
        if self.errors:
            return {"errcode": self.errors.popleft(), "errmsg": "told to refuse rid: 1a2b-3c4d"}
        self.sent.append(Sent(said["touser"], said.get("text", {}).get("content", ""), token))
        return {"errcode": 0, "errmsg": "ok"}
