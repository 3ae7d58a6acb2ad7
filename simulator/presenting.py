"""Rows as the page's JavaScript reads them. Codes, not words: the page has the words of its
language.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.links import pieces
from simulator.models import Bubble, Exchange, Fault, Follower, SimulatedAccount


def account_json(account: SimulatedAccount) -> dict[str, Any]:
    return {
        "verified": account.verified,
        "mode": account.mode,
        "faults": {fault: getattr(account, fault) for fault in Fault.values},
    }


def follower_json(follower: Follower) -> dict[str, Any]:
    return {
        "id": follower.pk,
        "openid": follower.openid,
        "name": follower.name,
        "following": follower.following,
        "windows": [
            {
                "kind": "message",
                "left": follower.message_sends_left,
                "until": _time(follower.message_window_until),
            },
            {
                "kind": "event",
                "left": follower.event_sends_left,
                "until": _time(follower.event_window_until),
            },
        ],
        "typing_until": _time(follower.typing_until),
    }


def bubble_json(bubble: Bubble) -> dict[str, Any]:
    return {
        "id": bubble.pk,
        "side": bubble.side,
        "kind": bubble.kind,
        "pieces": pieces(bubble.text),
        "channel": bubble.channel,
        "ai_generated": bubble.ai_generated,
        "at": _time(bubble.created_at),
    }


def exchange_json(exchange: Exchange) -> dict[str, Any]:
    """A row of the wire, without the bodies."""
    return {
        "id": exchange.pk,
        "kind": exchange.kind,
        "label": exchange.label,
        "summary": exchange.summary,
        "push_id": exchange.push_id,
        "delivery": exchange.delivery,
        "mode": exchange.mode,
        "at": _time(exchange.started_at),
        "duration_ms": exchange.duration_ms,
        "outcome": exchange.outcome,
        "status": exchange.status,
        "errcode": exchange.errcode,
        "note": exchange.note,
        "request_size": len(exchange.request_wire.encode()),
        "response_size": len(exchange.response_wire.encode()),
    }


def exchange_detail(exchange: Exchange) -> dict[str, Any]:
    return exchange_json(exchange) | {
        "method": exchange.method,
        "url": exchange.url,
        "request_clear": exchange.request_clear,
        "request_wire": exchange.request_wire,
        "response_wire": exchange.response_wire,
        "response_clear": exchange.response_clear,
    }


def _time(moment: datetime | None) -> int | None:
    """Milliseconds, as JavaScript counts them."""
    return int(moment.timestamp() * 1000) if moment else None
