"""The log of calls: one row for each call and for each model that was passed over."""

from __future__ import annotations

import logging

from common import log_rows
from llm import metrics
from llm.endpoint import Stopwatch, scrubbed
from llm.errors import CallFailed, Refused
from llm.models import LanguageModel, ModelCall, Outcome
from llm.reading import Reply

logger = logging.getLogger(__name__)

# Outcomes of models that were passed over: the others cost a call.
NOT_ASKED = frozenset({Outcome.BUSY, Outcome.OPEN})


def succeeded(model: LanguageModel, key: str, watch: Stopwatch, reply: Reply) -> ModelCall:
    call = _call(model, key, watch, Outcome.OK)
    call.prompt_tokens, call.completion_tokens = reply.prompt_tokens, reply.completion_tokens
    return call


def failed(model: LanguageModel, key: str, watch: Stopwatch, error: CallFailed) -> ModelCall:
    call = _call(model, key, watch, error.outcome)
    call.error = scrubbed(str(error), model)
    # A refusal stays until somebody looks at the settings.
    level = logging.ERROR if isinstance(error, Refused) else logging.WARNING
    logger.log(
        level, "model %s: %s after %s ms: %s", model, error.outcome.value, call.total_ms, call.error
    )
    return call


def record(calls: list[ModelCall]) -> None:
    """Write them down. The answer is paid for by now: it is worth more than its log line."""
    for call in calls:
        metrics.count(call)
    if calls:
        log_rows.keep(calls)


def _call(model: LanguageModel, key: str, watch: Stopwatch, outcome: Outcome) -> ModelCall:
    return ModelCall(
        language_model=model,
        model=model.model,
        key=key,
        outcome=outcome,
        first_token_ms=watch.first_token_ms,
        total_ms=watch.total_ms,
    )
