"""A WeChat API on a local port: tokens as stable_token gives them, a queue of answers for
everything else.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

OK = {"errcode": 0, "errmsg": "ok"}


@dataclass(frozen=True)
class Call:
    path: str
    token: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Hang:
    """Take the request and never answer."""


class HangUp:
    """Take the request and close the connection."""


@dataclass
class FakeWeChat:
    """`answers` are given one after the other, then OK for ever. A token of `refused` gets 40001
    instead.
    """

    answers: deque[Any] = field(default_factory=deque)
    token_answers: deque[Any] = field(default_factory=deque)
    refused: set[str] = field(default_factory=set)
    expires_in: int = 7200
    calls: list[Call] = field(default_factory=list)
    token_calls: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def sent(self) -> list[Call]:
        return [call for call in self.calls if call.path == "/cgi-bin/message/custom/send"]

    def answer(self, call: Call) -> Any:
        with self._lock:
            if call.path == "/cgi-bin/stable_token":
                return self._give_token(call)
            self.calls.append(call)
            if call.token in self.refused:
                return {"errcode": 40001, "errmsg": "invalid credential rid: 5f0c-1a2b-3c4d"}
            return self.answers.popleft() if self.answers else OK

    def _give_token(self, call: Call) -> Any:
        self.token_calls.append(call.json)
        if self.token_answers:
            return self.token_answers.popleft()
        if call.json["force_refresh"]:
            self._number += 1
        return {"access_token": f"token-{self._number}", "expires_in": self.expires_in}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = fake.answer(
                    Call(url.path, parse_qs(url.query).get("access_token", [""])[0], body)
                )
                if answer is Hang:
                    fake._closing.wait(30)
                if answer is Hang or answer is HangUp:
                    self.close_connection = True
                    return
                self._write(*answer if isinstance(answer, tuple) else (200, answer))

            do_GET = do_POST

            def _write(self, status: int, answer: Any) -> None:
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status in (301, 302):
                    self.send_header("Location", "https://elsewhere.example.com/")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
