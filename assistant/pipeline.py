"""Finding an answer, in the order of `steps.STEPS`. Sends nothing, and writes nothing but its log
and the answer cache.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from assistant import log, metrics
from assistant.answers import NOTHING_TO_SAY, Answer, Doubt, Model, NeedsModel, Question
from assistant.models import Direction, Source
from assistant.screening import blocked_term
from assistant.steps import STEPS, Step
from assistant.steps.blocked_words import REFUSAL
from common.text import Words
from llm import gateway

__all__ = ["Answer", "Doubt", "Model", "NeedsModel", "Question", "answer", "surely_needs_model"]

logger = logging.getLogger(__name__)


def answer(question: Question, *, model: Model | None) -> Answer:
    """Raises NeedsModel when no model is at hand, one is configured, and
    nothing before it answers.
    """
    started = time.monotonic()
    found = _find(replace(question, model=model))
    if found != NOTHING_TO_SAY:
        metrics.answers_from(found.source, found.doubt).inc()
        log.keep(question, found, milliseconds=round((time.monotonic() - started) * 1000))
    return found


def surely_needs_model(question: Question) -> bool:
    """Whether only a model can answer these words, whatever was said before them. May be asked
    before anything else: it reads the index and the cache, and no session. False means: perhaps
    not.
    """
    if not gateway.is_configured():
        return False
    if any(step.needs_session(question.words) for step in STEPS):
        return False
    try:
        _first_answer(question)
    except NeedsModel:
        return True
    return False


def _find(question: Question) -> Answer:
    step, found = _first_answer(question)
    return _screened(question, found) if step is not None and step.is_screened else found


def _first_answer(question: Question) -> tuple[Step | None, Answer]:
    for step in STEPS:
        if question.faq_only and not step.while_waiting:
            continue
        found = step.answer(question)
        if found is not None:
            return step, found
    return None, NOTHING_TO_SAY


def _screened(question: Question, found: Answer) -> Answer:
    """Blocked words do not go out, whoever wrote them."""
    if not isinstance(found.said, str) or not blocked_term(Words(found.said), Direction.OUT):
        return found
    logger.info(
        "answer from %s held back in conversation %s: it holds a blocked word",
        found.source,
        question.conversation_id,
    )
    evidence = found.evidence if found.source == Source.FAQ else ()
    return replace(REFUSAL, evidence=evidence)
