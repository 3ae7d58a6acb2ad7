"""The wire log: one row per delivery of a push and per call of the API."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from simulator.envelope import Sealed
from simulator.live import tell_exchange
from simulator.models import Exchange, Outcome
from simulator.pushes import Push
from simulator.replies import Reading

KEPT_EXCHANGES = 600
# Enough to see what it was; a body of megabytes helps nobody.
LONGEST_KEPT = 100_000
_SECRETS = re.compile(r'(secret["\s:=]++|access_token["\s:=]++)([^"&\s]{8})[^"&\s]++')


@dataclass(frozen=True)
class Call:
    """A call of the simulated API and what it was answered with."""

    path: str
    method: str
    url: str
    request: str
    response: str
    status: int | None
    outcome: Outcome
    errcode: int | None
    follower_id: int | None
    summary: str
    started: float


def push_starts(push: Push, sealed: Sealed, *, delivery: int, mode: str) -> Exchange:
    exchange = Exchange.objects.create(
        follower_id=push.follower_id,
        kind=Exchange.Kind.PUSH,
        label=push.kind,
        summary=push.summary[:80],
        push_id=push.push_id,
        delivery=delivery,
        mode=mode,
        method="POST",
        url=sealed.url[:600],
        request_clear=sealed.clear,
        request_wire=sealed.body.decode(),
    )
    _forget_old(exchange)
    tell_exchange(exchange)
    return exchange


def push_ends(
    exchange: Exchange, reading: Reading, *, status: int | None, body: bytes, seconds: float
) -> None:
    exchange.outcome = reading.outcome
    exchange.note = reading.reason[:200]
    exchange.status = status
    exchange.duration_ms = round(seconds * 1000)
    exchange.response_wire = _kept(body.decode("utf-8", "replace"))
    exchange.response_clear = _kept(reading.clear)
    fields = ("outcome", "note", "status", "duration_ms", "response_wire", "response_clear")
    # The row may be gone: somebody started over meanwhile.
    if Exchange.objects.filter(pk=exchange.pk).update(
        **{name: getattr(exchange, name) for name in fields}
    ):
        tell_exchange(exchange)


def record_call(call: Call) -> Exchange:
    """Secrets and tokens are cut to their first characters: enough to tell two apart."""
    exchange = Exchange.objects.create(
        follower_id=call.follower_id,
        kind=Exchange.Kind.API,
        label=call.path[:64],
        summary=call.summary[:80],
        method=call.method,
        url=_masked(call.url)[:600],
        request_wire=_kept(_masked(call.request)),
        response_wire=_kept(_masked(call.response)),
        status=call.status,
        outcome=call.outcome,
        errcode=call.errcode,
        duration_ms=round((time.monotonic() - call.started) * 1000),
    )
    _forget_old(exchange)
    tell_exchange(exchange)
    return exchange


def _masked(text: str) -> str:
    return _SECRETS.sub(r"\1\2…", text)


def _kept(text: str) -> str:
    return text.replace("\0", "")[:LONGEST_KEPT]


def _forget_old(exchange: Exchange) -> None:
    if exchange.pk % 20 == 0:
        Exchange.objects.filter(pk__lt=exchange.pk - KEPT_EXCHANGES).delete()
