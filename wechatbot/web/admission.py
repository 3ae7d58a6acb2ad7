"""How many requests Django works on at once: each takes a thread, and a login takes memory as well.

A place is taken when the whole request is there, so that slow senders hold none. A request that
finds no place is told so at once. The callback, the probes and the WebSockets do not come through
here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

from webhook.http import Receive, Response, Scope, Send, write
from wechatbot.web.bodies import max_body

Application = Callable[[Any, Any, Any], Awaitable[None]]

logger = logging.getLogger(__name__)

MAX_REQUESTS = 32
MAX_LOGINS = 8
# Bodies beyond what a form sends: they are kept on disk while they come in.
LARGE_BODY = 64 * 1024
MAX_LARGE_BODIES = 8
# What has come of smaller bodies whose end has not. Thousands of connections may wait for one;
# their memory may not.
MAX_UNFINISHED_BYTES = 32 * 1024 * 1024
# A page brings a dozen files with it: these wait for each other, since a page without its style is
# of no use.
MAX_FILES = 16
MAX_FILES_WAITING = 256
RETRY_AFTER = b"3"
SAY_AGAIN_SECONDS = 10.0


class Refused(Exception):
    """Carries the status that the client is told."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Places:
    """A number of places. All who take and leave them run on the event loop."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self) -> None:
        if not self._free:
            raise Refused(429)
        self._free -= 1

    def leave(self) -> None:
        self._free += 1


class Room:
    """A number of bytes. All who take and give back run on the event loop."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self, size: int) -> None:
        if size > self._free:
            raise Refused(429)
        self._free -= size

    def give_back(self, size: int) -> None:
        self._free += size


class Admission:
    """Django behind a door that counts."""

    def __init__(self, application: Application, *, static_url: str) -> None:
        self._application = application
        self._static_url = static_url
        self._requests = Places(MAX_REQUESTS)
        self._logins = Places(MAX_LOGINS)
        self._large = Places(MAX_LARGE_BODIES)
        self._unfinished = Room(MAX_UNFINISHED_BYTES)
        self._files = asyncio.Semaphore(MAX_FILES)
        self._waiting_files = Places(MAX_FILES + MAX_FILES_WAITING)
        self._said_at = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["path"].startswith(self._static_url):
                await self._serve_file(scope, receive, send)
            else:
                await self._serve_page(scope, receive, send)
        except Refused as refusal:
            self._say(refusal, scope["path"])
            await write(send, _response(refusal, scope))

    async def _serve_file(self, scope: Scope, receive: Receive, send: Send) -> None:
        with _held(self._waiting_files):
            async with self._files:
                await self._application(scope, receive, send)

    async def _serve_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = _Visit(scope, receive, self._places_for(scope), self._large, self._unfinished)
        try:
            await self._application(scope, visit.receive, send)
        finally:
            # Django ends a request only when its thread has ended, also for a client that went
            # away.
            visit.leave()

    def _places_for(self, scope: Scope) -> list[Places]:
        return [self._requests, self._logins] if is_login(scope) else [self._requests]

    def _say(self, refusal: Refused, path: str) -> None:
        now = asyncio.get_running_loop().time()
        if refusal.status == 429 and now - self._said_at >= SAY_AGAIN_SECONDS:
            self._said_at = now
            logger.warning(
                "too many requests at once: %s and maybe others are told to come again", path
            )


class _Visit:
    """One request: how much of its body has come, and which places it holds."""

    def __init__(
        self, scope: Scope, receive: Receive, places: list[Places], large: Places, unfinished: Room
    ) -> None:
        self._receive = receive
        self._most = max_body(scope["path"])
        self._wanted = places
        self._large = large
        self._unfinished = unfinished
        self._kept = 0
        self._held: list[Places] = []
        self._size = 0
        self._is_whole = False
        announced = _announced_size(scope)
        if announced > self._most:
            raise Refused(413)

    async def receive(self) -> MutableMapping[str, Any]:
        event = await self._receive()
        if event["type"] != "http.request" or self._is_whole:
            return event
        self._count(len(event.get("body", b"")))
        if event.get("more_body"):
            self._keep_unfinished()
        else:
            self._is_whole = True
            self._keep(0)
            for places in self._wanted:
                self._take(places)
        return event

    def _count(self, size: int) -> None:
        was_large = self._size > LARGE_BODY
        self._size += size
        if self._size > self._most:
            raise Refused(413)
        if self._size > LARGE_BODY and not was_large:
            self._take(self._large)

    def _keep_unfinished(self) -> None:
        """A large one has a place of its own, and lies on disk."""
        self._keep(self._size if self._size <= LARGE_BODY else 0)

    def _keep(self, size: int) -> None:
        if size > self._kept:
            self._unfinished.take(size - self._kept)
        else:
            self._unfinished.give_back(self._kept - size)
        self._kept = size

    def _take(self, places: Places) -> None:
        places.take()
        self._held.append(places)

    def leave(self) -> None:
        self._keep(0)
        while self._held:
            self._held.pop().leave()


@contextmanager
def _held(places: Places) -> Iterator[None]:
    places.take()
    try:
        yield
    finally:
        places.leave()


def is_login(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/login")


def _announced_size(scope: Scope) -> int:
    """0 when the head does not tell: then it is counted as it comes."""
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


def _response(refusal: Refused, scope: Scope) -> Response:
    with translation.override(_language(scope)):
        words = _words(refusal.status)
    # Closed, because the rest of a body may still be on its way.
    headers = [(b"connection", b"close"), (b"cache-control", b"no-store")]
    if refusal.status == 429:
        headers.append((b"retry-after", RETRY_AFTER))
    return Response(refusal.status, f"{words}\n".encode(), headers=tuple(headers))


def _words(status: int) -> str:
    if status == 413:
        return _("上传的内容太大了。")
    return _("现在访问的人太多，请过几秒再试一次。")


def _language(scope: Scope) -> str | None:
    """What the browser asks for; no language chosen by cookie, which only Django reads."""
    accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    for language, _quality in parse_accept_lang_header(accepted):
        try:
            return translation.get_supported_language_variant(language)
        except LookupError:
            continue
    return translation.get_supported_language_variant("zh-hans")
