"""A POST of WeChat, from its envelope to the push that is stored; and the handshake. Nothing here
waits.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from assistant.wishes import wants_human
from common import clock
from common.text import Words
from conversations.replies.routes import Route, route_of
from webhook import refusals, wechat_clock
from webhook.http import BAD_REQUEST, FORBIDDEN, SUCCESS, Response
from webhook.intake import Push
from webhook.one_body import PlainBody
from wechat import crypto, parsing, replies
from wechat.crypto import Account
from wechat.traits import Expects

# WeChat cuts after 5 s. Nothing is claimed in the last moments: what is written too late is lost.
LAST_FETCH_SECONDS = 4.5
# WeChat delivers a push three times, five seconds apart.
LAST_DELIVERY = 3
LAST_DELIVERY_AGE = 9.0
# What a plain push gets whose account takes sealed ones only: the operator has to hear of it.
PLAIN_REFUSED = Response(403, b"forbidden")
# Far more than WeChat lets a customer type; a bound for the row and for what a model is asked.
MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST of WeChat, opened and understood. `arrived` is the loop's clock, all deadlines of
    this process count from it; `received_at` is the same moment by the clock of all processes.
    """

    account: Account
    incoming: parsing.Incoming
    aes_key: str | None
    nonce: str
    arrived: float
    received_at: datetime
    plain: PlainBody | None
    request_id: int | None

    @property
    def is_old(self) -> bool:
        """WeChat made this push nine seconds ago or more: it will not come again."""
        return self.age >= LAST_DELIVERY_AGE

    @property
    def age(self) -> float:
        """In seconds, by WeChat's clock."""
        by_our_clock = self.received_at.timestamp() - self.incoming.created
        return by_our_clock - wechat_clock.is_behind_ours_by()

    @property
    def route(self) -> Route:
        return route_of(self.account)

    @property
    def hold_seconds(self) -> float:
        """How long its connection is kept for the answer."""
        return float(settings.HOLD_SECONDS) if self.route.calls_wechat else LAST_FETCH_SECONDS

    def reply(self, text: str) -> Response:
        """A passive text reply, sealed as its push was; no text is the word `success`."""
        if not text:
            return SUCCESS
        incoming, now = self.incoming, int(time.time())
        xml = replies.text_reply(to=incoming.openid, sender=incoming.to, text=text, created=now)
        if self.aes_key is not None:
            xml = crypto.seal(
                xml, account=self.account, aes_key=self.aes_key, nonce=self.nonce, timestamp=now
            )
        return Response(200, xml.encode(), b"application/xml; charset=utf-8")


def handshake(account: Account, query: dict[str, str]) -> Response:
    try:
        echo = crypto.check_handshake(account.token, query)
        _refuse_old(query["timestamp"], clock.now())
        return Response(200, echo.encode())
    except (crypto.Forbidden, TooOld) as error:
        refusals.note(account.slug, f"handshake refused: {error}")
        return FORBIDDEN


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who knows the account's token, seen from the query alone: the body may be read."""

    signed: crypto.SignedQuery
    arrived: float
    received_at: datetime
    request_id: int | None


def check_caller(
    account: Account, query: dict[str, str], arrived: float, request_id: int | None = None
) -> Caller | Response:
    """The sender of a push, or the status that tells a stranger to stop. One log line."""
    received_at = clock.now()
    try:
        signed = crypto.check_query(account, query)
        _refuse_old(signed.timestamp, received_at)
    except (crypto.Forbidden, TooOld) as error:
        return _refuse(account, error)
    except crypto.BadEnvelope as error:
        return _misunderstand(account, error)
    return Caller(signed, arrived, received_at, request_id)


def open_delivery(caller: Caller, body: bytes) -> Delivery | Response:
    """The push behind the envelope, or a status as above. Nothing is stored."""
    signed, plain = caller.signed, None
    try:
        opened = crypto.open_body(signed, body)
        incoming = parsing.parse(opened.xml)
    except crypto.PlainRefused as error:
        _refuse(signed.account, error)
        return PLAIN_REFUSED
    except crypto.Forbidden as error:
        return _refuse(signed.account, error)
    except (crypto.BadEnvelope, parsing.NotUnderstood) as error:
        return _misunderstand(signed.account, error)
    _compare_clocks(incoming.created, caller.received_at)
    if opened.aes_key is None:
        plain = PlainBody.of(signed.signature, body)
    return Delivery(
        account=signed.account,
        incoming=incoming,
        aes_key=opened.aes_key,
        nonce=signed.nonce,
        arrived=caller.arrived,
        received_at=caller.received_at,
        plain=plain,
        request_id=caller.request_id,
    )


def _compare_clocks(created: int, received_at: datetime) -> None:
    difference = received_at.timestamp() - created
    if not _is_wild(difference):
        wechat_clock.note(difference)


def _is_wild(difference: float) -> bool:
    """No clock of WeChat says so."""
    return abs(difference) > settings.CALLBACK_MAX_AGE + 60


def _refuse(account: Account, error: Exception) -> Response:
    refusals.note(account.slug, f"push refused: {error}")
    return FORBIDDEN


def _misunderstand(account: Account, error: Exception) -> Response:
    refusals.note(account.slug, f"push not understood: {error}")
    return BAD_REQUEST


class TooOld(ValueError):
    """A push from long ago: a replay, or one of the two clocks is wrong."""


def _refuse_old(timestamp: str, now: datetime) -> None:
    try:
        age = now.timestamp() - int(timestamp)
    except (ValueError, OverflowError) as error:
        raise TooOld(f"timestamp {timestamp[:20]!r} is no time") from error
    if abs(age) > settings.CALLBACK_MAX_AGE:
        clocks = f"WeChat's clock {_clock(timestamp)}, ours {now:%F %T} UTC"
        raise TooOld(f"older than {settings.CALLBACK_MAX_AGE} s: {clocks}")


def _clock(timestamp: str) -> str:
    try:
        return f"{datetime.fromtimestamp(int(timestamp), UTC):%F %T}"
    except (OverflowError, OSError, ValueError):
        return f"of no time at all ({timestamp[:20]})"


def push_of(delivery: Delivery) -> Push:
    """What is stored of a delivery. Ids and kinds are bounded by the parser, the text is cut to
    what a row takes.
    """
    incoming, account = delivery.incoming, delivery.account
    words = Words(incoming.question[:MAX_TEXT])
    return Push(
        account_id=account.account_id,
        account_slug=account.slug,
        openid=incoming.openid,
        dedup_key=incoming.dedup_key,
        kind=incoming.kind,
        words=words,
        fields=incoming.stored_fields(),
        raw=getattr(incoming, "raw", ""),
        wants_human=bool(words.text) and wants_human(words),
        sent_at=_sent_at(incoming.created, delivery.received_at),
        received_at=delivery.received_at,
        hold_until=_hold_until(delivery),
        needs_answer=incoming.traits.expects is not Expects.NOTHING,
        counts=incoming.traits.is_counted,
        plain=delivery.plain,
        request_id=delivery.request_id,
    )


def _sent_at(created: int, received_at: datetime) -> datetime:
    """CreateTime as a time that every database takes; a wild one is replaced by our own clock."""
    if _is_wild(received_at.timestamp() - created):
        return received_at
    return datetime.fromtimestamp(created, UTC)


def _hold_until(delivery: Delivery) -> datetime | None:
    seconds = delivery.hold_seconds
    if seconds <= 0 or delivery.incoming.traits.expects is Expects.RECORD:
        return None
    return delivery.received_at + timedelta(seconds=seconds)
