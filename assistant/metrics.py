"""What the assistant counts: where its answers came from."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter

from assistant.answers import Doubt
from assistant.models import Source
from common.metrics import NAMESPACE

answers = Counter(
    "answers",
    "Answers by their source, and by why a person should rather answer",
    ["source", "doubt"],
    namespace=NAMESPACE,
)


@cache
def answers_from(source: Source, doubt: Doubt | None) -> Counter:
    """To look a metric's labels up costs as much as to count."""
    return answers.labels(source, doubt or "")
