"""WeChat's API on a local port: gives tokens as stable_token does, keeps what came, and misbehaves
as told.

`with ApiServer() as wechat:`, then look at `wechat.sent`, or at `wechat.calls` for each request.
Faults: `answers` (for the next calls, in turn), `token_answers`, `refused` and `refuse_token()`,
`silent` (takes requests and never answers), `latency`, `stop()` and `start()` on the same port.

As a process: `python -m tests.worlds.api_server PORT`. GET /sent answers
`[[openid, text, time.monotonic()], …]` and forgets them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.worlds.local_server import LocalServer, Received

SEND = "/cgi-bin/message/custom/send"
TOKENS = {"/cgi-bin/stable_token", "/cgi-bin/token"}
OK = {"errcode": 0, "errmsg": "ok"}
INVALID_CREDENTIAL = {
    "errcode": 40001,
    "errmsg": "invalid credential, access_token is invalid or not latest rid: 5f0c-1a2b-3c4d",
}


class Fault(Enum):
    HANG = "takes the request and never answers"
    HANG_UP = "takes the request and closes the connection"


# What may be queued: JSON, a status with JSON or raw bytes, or a fault.
Content = Mapping[str, object] | list[object] | bytes
Answer = Content | tuple[int, Content] | Fault


@dataclass(frozen=True)
class Call:
    path: str
    token: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Sent:
    """A text that WeChat took."""

    openid: str
    text: str
    token: str
    at: float = field(default_factory=time.monotonic)


class ApiServer(LocalServer):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self.calls: list[Call] = []
        self.token_calls: list[dict[str, Any]] = []
        self.answers: deque[Answer] = deque()
        self.token_answers: deque[Answer] = deque()
        self.refused: set[str] = set()
        self.refusals = 0
        self.silent = False
        # How long WeChat takes to say that it has taken a text.
        self.latency = 0.0
        self.expires_in = 7200
        self._tokens = 0

    @property
    def token(self) -> str:
        """The latest, the only one that is good."""
        return f"token-{self._tokens}"

    @property
    def tried(self) -> list[Call]:
        """Each wish to send a text, whatever WeChat said to it."""
        return [call for call in self.calls if call.path == SEND]

    def refuse_token(self) -> None:
        """The token of today is no longer good, as after a renewal elsewhere."""
        self.refused.add(self.token)

    def forget(self) -> None:
        """As after `start`, for the next test; the token stays good."""
        kept = (
            *(self.sent, self.calls, self.token_calls),
            *(self.answers, self.token_answers, self.refused),
        )
        for one in kept:
            one.clear()
        self.refusals, self.silent, self.latency = 0, False, 0.0

    async def respond(
        self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answer = Fault.HANG if self.silent else self._answer(received)
        if answer is Fault.HANG:
            await reader.read()  # Until the other side goes away.
        elif answer is Fault.HANG_UP:
            writer.close()
        else:
            await asyncio.sleep(self.latency)
            writer.write(_written(answer))

    def _answer(self, received: Received) -> Answer:
        if received.path in TOKENS:
            return self._give_token(received)
        if received.path == "/sent":
            return self._tell_sent()
        call = Call(received.path, received.query.get("access_token", ""), received.body)
        self.calls.append(call)
        if call.token != self.token or call.token in self.refused:
            self.refusals += 1
            return INVALID_CREDENTIAL
        if self.answers:
            return self.answers.popleft()
        if call.path == SEND:
            self._take(call)
        return OK

    def _give_token(self, received: Received) -> Answer:
        """As stable_token: the same one until it is refused or a new one is asked for by force."""
        said = json.loads(received.body) if received.body else dict(received.query)
        self.token_calls.append(said)
        if self.token_answers:
            return self.token_answers.popleft()
        if self._tokens == 0 or said.get("force_refresh"):
            self._tokens += 1
        return {"access_token": self.token, "expires_in": self.expires_in}

    def _take(self, call: Call) -> None:
        said = call.json
        self.sent.append(Sent(said["touser"], said.get("text", {}).get("content", ""), call.token))

    def _tell_sent(self) -> Answer:
        told = [[one.openid, one.text, one.at] for one in self.sent]
        self.sent.clear()
        self.calls.clear()
        return {"sent": told}


def _written(answer: Content | tuple[int, Content]) -> bytes:
    status, content = answer if isinstance(answer, tuple) else (200, answer)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    kind = "text/html" if isinstance(content, bytes) else "application/json"
    place = "Location: https://elsewhere.example.com/\r\n" if status in (301, 302) else ""
    head = f"HTTP/1.1 {status} X\r\n{place}Content-Type: {kind}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def main() -> None:
    server = ApiServer()
    server.port = int(sys.argv[1])
    server.run()


if __name__ == "__main__":
    main()
