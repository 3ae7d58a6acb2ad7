"""WeChat's side of the callback: pushes as they go over the wire, driven into the ASGI endpoint
without a server.

The endpoint lives on an event loop in a thread of its own, as in production, so that a test's own
thread can be the worker that answers meanwhile.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from webhook.callback import Callback
from webhook.door import Door
from wechat import crypto
from wechat.models import OfficialAccount

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
        return words_of(self.body)


def words_of(xml: bytes) -> str:
    return ElementTree.fromstring(xml).findtext("Content") or ""


@dataclass(frozen=True)
class Request:
    query: str
    body: bytes
    path: str = "/wechat"
    method: str = "POST"
    request_id: str = ""

    def scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "query_string": self.query.encode(),
            "headers": [(b"x-request-id", self.request_id.encode())] if self.request_id else [],
        }


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

        await wire.callback(request.scope(), receive, send)
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


def plain(
    account: OfficialAccount, xml: str | bytes, *, age: float = 0, **changed: str | None
) -> Request:
    """A push in plain mode, as WeChat signs it. `changed` parameters replace the true ones, None
    leaves one out.
    """
    query = {
        "timestamp": str(int(time.time() - age)),
        "nonce": secrets.token_hex(5),
        "openid": "oCustomer",
    }
    query["signature"] = crypto.signature(account.token, query["timestamp"], query["nonce"])
    return _request(account, query, changed, xml if isinstance(xml, bytes) else xml.encode())


def sealed(
    account: OfficialAccount, xml: str, *, app_id: str = "", age: float = 0, **changed: str | None
) -> Request:
    """A push in safe mode."""
    encrypted = crypto.encrypt(
        xml.encode(), aes_key=account.aes_key, app_id=app_id or account.app_id
    )
    return sealed_as(account, encrypted, age=age, **changed)


def sealed_as(
    account: OfficialAccount, encrypted: str, *, age: float = 0, **changed: str | None
) -> Request:
    query = {
        "timestamp": str(int(time.time() - age)),
        "nonce": secrets.token_hex(5),
        "encrypt_type": "aes",
    }
    query["signature"] = crypto.signature(account.token, query["timestamp"], query["nonce"])
    query["msg_signature"] = crypto.signature(
        account.token, query["timestamp"], query["nonce"], encrypted
    )
    body = (
        "<xml><ToUserName><![CDATA[gh_shop]]></ToUserName>"
        f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    )
    return _request(account, query, changed, body.encode())


def _request(
    account: OfficialAccount, query: dict[str, str], changed: Mapping[str, str | None], body: bytes
) -> Request:
    values = {name: value for name, value in {**query, **changed}.items() if value is not None}
    return Request(urlencode(values), body, path=f"/wechat/{account.slug}")


def opened(answer: Answer, account: OfficialAccount) -> str:
    """The words of a sealed reply, after WeChat has checked its signature."""
    envelope = ElementTree.fromstring(answer.body)
    encrypted = envelope.findtext("Encrypt") or ""
    parts = [envelope.findtext(name) or "" for name in ("TimeStamp", "Nonce")]
    assert envelope.findtext("MsgSignature") == crypto.signature(account.token, *parts, encrypted)
    return words_of(
        crypto.decrypt(encrypted.encode(), aes_key=account.aes_key, app_id=account.app_id)
    )
