"""What the open pages hear at once. A hint, not the truth: the rows are, and a page that reconnects
reads them.
"""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from common.redis import REDIS_AWAY
from simulator.models import Bubble, Exchange, Follower, SimulatedAccount
from simulator.presenting import account_json, bubble_json, exchange_json, follower_json

log = logging.getLogger(__name__)

EVERYBODY = "simulator"


def group_of(follower_id: int) -> str:
    return f"simulator.{follower_id}"


def tell_bubble(bubble: Bubble) -> None:
    _publish(group_of(bubble.follower_id), {"type": "bubble", "bubble": bubble_json(bubble)})


def tell_exchange(exchange: Exchange) -> None:
    """A call that concerns no single customer (a token) is shown to every page."""
    group = group_of(exchange.follower_id) if exchange.follower_id else EVERYBODY
    _publish(group, {"type": "exchange", "exchange": exchange_json(exchange)})


def tell_follower(follower: Follower) -> None:
    _publish(group_of(follower.pk), {"type": "follower", "follower": follower_json(follower)})


def tell_account(account: SimulatedAccount) -> None:
    _publish(EVERYBODY, {"type": "account", "account": account_json(account)})


def _publish(group: str, event: dict[str, Any]) -> None:
    layer = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(group, {"type": "simulator.event", "event": event})
    except REDIS_AWAY as error:
        log.warning("Redis is away, open simulator pages see this when they next look: %s", error)
