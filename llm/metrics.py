"""What calls of language models are counted by."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from common.metrics import NAMESPACE
from llm.models import ModelCall, Outcome

SECONDS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 40.0)

calls = Counter(
    "model_calls",
    "Calls of language models by how they ended; busy and open ones were not made",
    ["model", "outcome"],
    namespace=NAMESPACE,
)
seconds = Histogram(
    "model_call_seconds",
    "Time that an answer of a language model took",
    ["model"],
    namespace=NAMESPACE,
    buckets=SECONDS,
)
tokens = Counter(
    "model_tokens",
    "Tokens that language models read and wrote",
    ["model", "direction"],
    namespace=NAMESPACE,
)


def count(call: ModelCall) -> None:
    model = str(call.language_model)
    calls.labels(model, call.outcome).inc()
    if call.outcome == Outcome.OK:
        seconds.labels(model).observe((call.total_ms or 0) / 1000)
        tokens.labels(model, "prompt").inc(call.prompt_tokens or 0)
        tokens.labels(model, "completion").inc(call.completion_tokens or 0)
