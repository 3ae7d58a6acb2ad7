"""What conversations count: what became of the texts that were to be sent."""

from __future__ import annotations

from functools import cache, partial

from django.db import transaction
from prometheus_client import Counter

from common.metrics import NAMESPACE
from conversations.models import Channel, ReplyState

sends = Counter(
    "sends",
    "Texts by the channel that carried them, and by the state that their send led to",
    ["channel", "state"],
    namespace=NAMESPACE,
)


def count_sends(channel: Channel, state: ReplyState, texts: int = 1) -> None:
    """Counts when the transaction has brought them there. READY is a send that is tried again."""
    if texts:
        transaction.on_commit(partial(_of(channel, state).inc, texts))


@cache
def _of(channel: Channel, state: ReplyState) -> Counter:
    """To look a metric's labels up costs as much as to count."""
    return sends.labels(channel, state)
