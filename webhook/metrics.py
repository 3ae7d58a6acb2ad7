"""What the callback counts: how each push was answered, and how long WeChat waited for it."""

from __future__ import annotations

from functools import cache

from prometheus_client import Histogram

from common.metrics import NAMESPACE
from webhook.http import SUCCESS, Response

# WeChat's own cut comes after 5 seconds.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 4.5, 5.0)

callbacks = Histogram(
    "callback_seconds",
    "Time until a request of the callback had its response, by what it was",
    ["outcome"],
    namespace=NAMESPACE,
    buckets=SECONDS,
)

_BY_STATUS = {
    403: "refused",
    400: "unreadable",
    404: "no_account",
    429: "too_many",
    503: "not_stored",
}


def count(method: str, response: Response | None, seconds: float) -> None:
    _of(outcome_of(method, response)).observe(seconds)


@cache
def _of(outcome: str) -> Histogram:
    """To look a metric's labels up costs as much as to count."""
    return callbacks.labels(outcome)


def outcome_of(method: str, response: Response | None) -> str:
    if response is None:
        return "left_open"
    if response is SUCCESS:
        return "acknowledged"
    if response.status == 200:
        return "handshake" if method == "GET" else "replied"
    return _BY_STATUS.get(response.status, "other")
