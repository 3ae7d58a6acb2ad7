"""A callback that is not ours: it opens pushes and packs replies with wechatpy, and does what a
test queued.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from simulator.credentials import credentials


@dataclass(frozen=True)
class Received:
    """One delivery as an independent server understood it."""

    query: dict[str, str]
    body: str
    message: Any


_over = threading.Event()

Answer = Callable[[Received], tuple[int, bytes]]


def text(words: str) -> Answer:
    def answer(received: Received) -> tuple[int, bytes]:
        clear = create_reply(words, received.message).render()
        if "msg_signature" not in received.query:
            return 200, clear.encode()
        return 200, crypto().encrypt_message(clear, received.query["nonce"]).encode()

    return answer


def body(content: bytes, status: int = 200) -> Answer:
    return lambda received: (status, content)


def never(received: Received) -> tuple[int, bytes]:
    """No answer while anybody waits: the connection is held until the test is over."""
    _over.wait(60)
    return 200, b""


def crypto() -> WeChatCrypto:
    keys = credentials()
    return WeChatCrypto(keys.token, keys.aes_key, keys.app_id)


class FakeCallback:
    """Give it `answers`; the last one is repeated."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [body(b"success")]
        self.received: list[Received] = []
        self._lock = threading.Lock()
        _over.clear()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, content = fake.take(_open(self.path, raw))
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # cut, as WeChat does

            def log_message(self, *args: object) -> None:
                """The test's own output stays readable."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, received: Received) -> tuple[int, bytes]:
        with self._lock:
            self.received.append(received)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(received)

    def close(self) -> None:
        _over.set()
        self.server.shutdown()
        self.server.server_close()


def _open(path: str, raw: str) -> Received:
    """Signature and decryption by wechatpy; raises when WeChat's side of the simulator is wrong."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    check_signature(credentials().token, query["signature"], query["timestamp"], query["nonce"])
    clear = raw
    if "msg_signature" in query:
        clear = crypto().decrypt_message(
            raw, query["msg_signature"], query["timestamp"], query["nonce"]
        )
    return Received(query, raw, parse_message(clear))
