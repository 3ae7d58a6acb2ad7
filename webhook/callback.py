"""The callback of WeChat: an ASGI endpoint beside Django, because it holds thousands of requests for seconds.

Verify, store, acknowledge, then think: nothing here asks a model, and whatever happens WeChat gets a body that it can
read or, where a repeat is wanted, none at all before it cuts the connection.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings

from assistant.wishes import wants_human
from conversations.passive import Claim, Wish, thinking_text
from conversations.texts import ready_text
from webhook.door import Door
from webhook.group_commit import CannotBeWritten, NotWritten
from webhook.intake import Push, Taken, Verdict, too_many_status
from webhook.kinds import ANSWERED_KINDS, HANDLED_KINDS, UNHEARD_KINDS
from webhook.waiting import Waiter
from wechat import accounts, crypto, parsing, replies
from wechat.crypto import Keys

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 64 * 1024
# WeChat cuts after 5 s. Nothing is claimed in the last moments: what is written too late is lost.
LAST_CLAIM_SECONDS = 4.5
CLAIM_GRACE_SECONDS = 0.2
STORE_SECONDS = 4.2
# After WeChat's own cut nobody reads any more; a client that stays longer is not WeChat.
GIVE_UP_SECONDS = 8.0
# WeChat delivers a push three times, five seconds apart.
LAST_DELIVERY = 3
LAST_DELIVERY_AGE = 9.0
# Far more than WeChat lets a customer type; a bound for the row and for what a model is asked.
MAX_TEXT = 4000


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()


SUCCESS = Response(200, b"success")
# The most frequent response of all, made once.
_SUCCESS_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", SUCCESS.content_type), (b"content-length", b"7")],
}
_SUCCESS_BODY = {"type": "http.response.body", "body": SUCCESS.body}
FORBIDDEN = Response(403, b"forbidden")
BAD_REQUEST = Response(400, b"bad request")
NOT_FOUND = Response(404, b"no such account")


@dataclass(frozen=True)
class Delivery:
    """One POST of WeChat, opened and understood. `arrived` is the loop's clock, all deadlines count from it."""

    keys: Keys
    incoming: parsing.Incoming
    aes_key: str | None
    nonce: str
    arrived: float
    received_at: datetime

    @property
    def is_old(self) -> bool:
        """WeChat sent this push nine seconds ago or more: it will not come again."""
        return self.received_at.timestamp() - self.incoming.created >= LAST_DELIVERY_AGE


class Callback:
    """`/wechat` and `/wechat/<slug>`, with and without a trailing slash."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = asyncio.get_running_loop().time()
        response = await self.respond(scope, receive, arrived)
        if response is not None:
            await _write(send, response)

    async def respond(self, scope: Scope, receive: Receive, arrived: float) -> Response | None:
        """None: the client has gone."""
        try:
            keys = await accounts.cached(scope["path"].removeprefix("/wechat").strip("/") or None)
        except accounts.AccountsUnknown as error:
            logger.error("push not opened, WeChat delivers it again: %s", error)
            return None if await _read_body(receive) is None else await _wait_for_cut(receive, arrived)
        if keys is None:
            return NOT_FOUND
        query = _query(scope["query_string"].decode("latin-1"))
        if scope["method"] == "GET":
            return _handshake(keys, query)
        if scope["method"] != "POST":
            return Response(405, b"method not allowed", headers=((b"allow", b"GET, POST"),))
        body = await _read_body(receive)
        if body is None:
            return None
        delivery = _open(keys, query, body, arrived)
        return delivery if isinstance(delivery, Response) else await self._take(delivery, receive)

    async def _take(self, delivery: Delivery, receive: Receive) -> Response | None:
        push = _push(delivery)
        try:
            taken = await self.door.take_in(push, delivery.arrived + STORE_SECONDS)
            return await self._answer(delivery, push, taken, receive)
        except NotWritten as error:
            return await self._not_stored(delivery, receive, error)
        except CannotBeWritten as error:
            logger.error("a push of account %s could not be stored: %s", push.account_id, error)
            return _sorry(delivery)

    async def _answer(self, delivery: Delivery, push: Push, taken: Taken, receive: Receive) -> Response | None:
        """A request waits before anybody is asked for its answer, and a repeat looks at once."""
        if taken.verdict is Verdict.TOO_MANY:
            return _too_many(taken)
        with nullcontext() if taken.ended else self.door.waiters.waiting(taken.message_id) as waiter:
            if taken.to_answer:
                self.door.answer(push if push.id == taken.message_id else replace(push, id=taken.message_id))
            if waiter is None:
                return _text(delivery, taken.passive_text)
            return await self._hold(delivery, taken, waiter, receive)

    async def _hold(self, delivery: Delivery, taken: Taken, waiter: Waiter, receive: Receive) -> Response | None:
        """Hold the connection until the reply is there or the time is up; see design sections 4 and 5."""
        loop = asyncio.get_running_loop()
        deadline = delivery.arrived + _hold_seconds(delivery.keys)
        gone = asyncio.ensure_future(receive())
        if taken.verdict is Verdict.REPEAT:
            waiter.wake()
        try:
            while (left := deadline - loop.time()) > 0:
                await asyncio.wait((gone, waiter.future), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return None
                if waiter.future.done():
                    known = waiter.future.result()
                    if known is not None:
                        return _text(delivery, known)
                    waiter.rearm(loop)
                    response = await self._claim(delivery, taken, "look")
                    if response is not None:
                        return response
            return await self._time_is_up(delivery, taken, waiter, gone)
        finally:
            gone.cancel()

    async def _time_is_up(
        self, delivery: Delivery, taken: Taken, waiter: Waiter, gone: asyncio.Future[MutableMapping[str, Any]]
    ) -> Response | None:
        if delivery.keys.may_send:
            return await self._claim(delivery, taken, "release") or self._tell(delivery, taken, waiter, "")
        if taken.deliveries >= LAST_DELIVERY or delivery.is_old:
            text = thinking_text(delivery.keys.account_id)
            return await self._claim(delivery, taken, "last") or self._tell(delivery, taken, waiter, text)
        return await _until_cut(gone, delivery.arrived)

    def _tell(self, delivery: Delivery, taken: Taken, waiter: Waiter, text: str) -> Response:
        """The database is too slow to decide in time. What we say without it is noted when it can be, so that a tap
        finds the answer and no text counts as read that nobody read; a reply handed over meanwhile is noted already."""
        handed_over = waiter.future.result() if waiter.future.done() else None
        if handed_over is not None:
            return _text(delivery, handed_over)
        self.door.record(Claim(taken.message_id, "told", text))
        return _text(delivery, text)

    async def _claim(self, delivery: Delivery, taken: Taken, wish: Wish) -> Response | None:
        """None: no reply yet, or the database is away; the row then stays as it is for the next look or delivery."""
        deadline = delivery.arrived + LAST_CLAIM_SECONDS + (0 if wish == "look" else CLAIM_GRACE_SECONDS)
        if asyncio.get_running_loop().time() >= deadline:
            return None
        try:
            reply = await self.door.claim_reply(Claim(taken.message_id, wish), deadline)
        except (NotWritten, CannotBeWritten) as error:
            logger.warning("message %s: its reply could not be claimed: %s", taken.message_id, error)
            return None
        if reply.deliver is not None:
            self.door.send_errand(("deliver", reply.deliver))
        return None if reply.text is None else _text(delivery, reply.text)

    async def _not_stored(self, delivery: Delivery, receive: Receive, error: NotWritten) -> Response | None:
        """The message was not accepted. WeChat repeats only what gets no answer: none but the last gets one."""
        logger.error("a push of account %s was not stored: %s", delivery.keys.account_id, error)
        if delivery.is_old:
            return _sorry(delivery)
        return await _wait_for_cut(receive, delivery.arrived)


def _sorry(delivery: Delivery) -> Response:
    """The words for who sent something. Who did nothing that asks for an answer reads none."""
    if delivery.incoming.kind not in ANSWERED_KINDS:
        return SUCCESS
    return _text(delivery, ready_text("storing_failed", delivery.keys.account_id))


def _query(text: str) -> dict[str, str]:
    """WeChat's queries have nothing to unquote but in an `echostr`."""
    if "%" in text or "+" in text or "=" not in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    return {name: value for name, _, value in (pair.partition("=") for pair in text.split("&"))}


def _hold_seconds(keys: Keys) -> float:
    return float(settings.HOLD_SECONDS) if keys.may_send else LAST_CLAIM_SECONDS


async def _wait_for_cut(receive: Receive, arrived: float) -> Response | None:
    gone = asyncio.ensure_future(receive())
    try:
        return await _until_cut(gone, arrived)
    finally:
        gone.cancel()


async def _until_cut(gone: asyncio.Future[MutableMapping[str, Any]], arrived: float) -> Response | None:
    """Say nothing until WeChat cuts the connection, so that it delivers the push once more."""
    left = arrived + GIVE_UP_SECONDS - asyncio.get_running_loop().time()
    await asyncio.wait((gone,), timeout=max(left, 0))
    return None if gone.done() else Response(503, b"")


async def _read_body(receive: Receive) -> bytes | None:
    """The body, b"" when it is too long to be WeChat's; None when the client left before its end."""
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


def _handshake(keys: Keys, query: dict[str, str]) -> Response:
    try:
        return Response(200, crypto.check_handshake(keys.token, query).encode())
    except crypto.Forbidden as error:
        logger.warning("account %s: handshake refused: %s", keys.slug, error)
        return FORBIDDEN


def _open(keys: Keys, query: dict[str, str], body: bytes, arrived: float) -> Delivery | Response:
    """The push behind the envelope, or the status that tells its sender to stop. One log line, nothing stored."""
    received_at = datetime.now(UTC)
    try:
        opened = crypto.open_envelope(keys, query, body)
        _refuse_old(query, received_at)
        incoming = parsing.parse(opened.xml)
    except (crypto.Forbidden, TooOld) as error:
        logger.warning("account %s: push refused: %s", keys.slug, error)
        return FORBIDDEN
    except (crypto.BadEnvelope, parsing.NotUnderstood) as error:
        logger.warning("account %s: push not understood: %s", keys.slug, error)
        return BAD_REQUEST
    return Delivery(keys, incoming, opened.aes_key, query.get("nonce", ""), arrived, received_at)


class TooOld(ValueError):
    """A push from long ago: a replay, or one of the two clocks is wrong."""


def _refuse_old(query: dict[str, str], now: datetime) -> None:
    try:
        age = now.timestamp() - int(query["timestamp"])
    except ValueError as error:
        raise TooOld(f"timestamp {query['timestamp'][:20]!r} is no time") from error
    if abs(age) > settings.CALLBACK_MAX_AGE:
        raise TooOld(f"older than {settings.CALLBACK_MAX_AGE} s: WeChat's clock {_clock(query)}, ours {now:%F %T} UTC")


def _clock(query: dict[str, str]) -> str:
    try:
        return f"{datetime.fromtimestamp(int(query['timestamp']), UTC):%F %T}"
    except (OverflowError, OSError, ValueError):
        return f"of no time at all ({query['timestamp'][:20]})"


def _push(delivery: Delivery) -> Push:
    """What is stored of a delivery. Ids and kinds are bounded by the parser, the text is cut to what a row takes."""
    incoming, keys = delivery.incoming, delivery.keys
    text = incoming.question[:MAX_TEXT]
    return Push(
        account_id=keys.account_id,
        openid=incoming.openid,
        dedup_key=incoming.dedup_key,
        kind=incoming.kind,
        text=text,
        fields=incoming.stored_fields(),
        raw=getattr(incoming, "raw", ""),
        wants_human=bool(text) and wants_human(text),
        sent_at=_sent_at(incoming.created, delivery.received_at),
        received_at=delivery.received_at,
        hold_until=_hold_until(delivery),
        needs_answer=incoming.kind in HANDLED_KINDS,
        counts=incoming.is_message,
    )


def _sent_at(created: int, received_at: datetime) -> datetime:
    """CreateTime as a time that every database takes; a wild one is replaced by our own clock."""
    if abs(created - received_at.timestamp()) > settings.CALLBACK_MAX_AGE + 60:
        return received_at
    return datetime.fromtimestamp(created, UTC)


def _hold_until(delivery: Delivery) -> datetime | None:
    seconds = _hold_seconds(delivery.keys)
    if seconds <= 0 or delivery.incoming.kind in UNHEARD_KINDS:
        return None
    return delivery.received_at + timedelta(seconds=seconds)


def _too_many(taken: Taken) -> Response:
    if too_many_status() == 200:
        return SUCCESS
    return Response(too_many_status(), headers=((b"retry-after", str(taken.seconds_left).encode()),))


def _text(delivery: Delivery, text: str) -> Response:
    """A passive text reply, sealed as its push was; no text is the word `success`."""
    if not text:
        return SUCCESS
    incoming, now = delivery.incoming, int(time.time())
    xml = replies.text_reply(to=incoming.openid, sender=incoming.to, text=text, created=now)
    if delivery.aes_key is not None:
        xml = crypto.seal(xml, keys=delivery.keys, aes_key=delivery.aes_key, nonce=delivery.nonce, timestamp=now)
    return Response(200, xml.encode(), b"application/xml; charset=utf-8")


async def _write(send: Send, response: Response) -> None:
    if response is SUCCESS:
        await send(_SUCCESS_START)
        await send(_SUCCESS_BODY)
        return
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(response.body)).encode()),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
