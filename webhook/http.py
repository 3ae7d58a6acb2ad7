"""HTTP as the callback speaks it over ASGI: reading a body within bounds, and the few responses
there are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from operator import methodcaller
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 64 * 1024


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()


SUCCESS = Response(200, b"success")
# No browser may take a text of ours for a page.
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
# The most frequent response of all, made once.
_SUCCESS_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", SUCCESS.content_type),
        (b"content-length", b"7"),
        _NO_SNIFFING,
    ],
}
_SUCCESS_BODY = {"type": "http.response.body", "body": SUCCESS.body}
FORBIDDEN = Response(403, b"forbidden")
BAD_REQUEST = Response(400, b"bad request")
NOT_FOUND = Response(404, b"no such account")


# Once for every pair of every push.
_split = methodcaller("partition", "=")


def query_of(scope: Scope) -> dict[str, str]:
    """WeChat's queries have nothing to unquote but in an `echostr`."""
    text = scope["query_string"].decode("latin-1")
    if "%" in text or "+" in text or "=" not in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    pairs = map(_split, text.split("&"))
    return {name: value for name, _, value in pairs}


def request_id_of(scope: Scope) -> int | None:
    """What the proxy calls this request; the same when it tries another web process with it."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return _as_number(value)
    return None


def _as_number(request_id: bytes) -> int | None:
    """The first 15 digits of nginx's 32: as a database keeps numbers."""
    try:
        return int(request_id[:15], 16)
    except ValueError:
        return None


async def read_body(receive: Receive) -> bytes | None:
    """The body, b"" when it is too long to be WeChat's; None when the client
    left before its end.
    """
    chunks, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            return b""
        chunks.append(chunk)
        if not event.get("more_body"):
            return b"".join(chunks)


async def write(send: Send, response: Response) -> None:
    if response is SUCCESS:
        await send(_SUCCESS_START)
        await send(_SUCCESS_BODY)
        return
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(response.body)).encode()),
        _NO_SNIFFING,
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
