"""The customer's words hold a blocked term: a polite refusal."""

from __future__ import annotations

from assistant.answers import Answer, Question
from assistant.models import Direction, Source
from assistant.screening import blocked_term
from assistant.steps.step import Step
from conversations.saying import Saying

REFUSAL = Answer(Saying("blocked"), Source.BLOCKED)


def answer(question: Question) -> Answer | None:
    return REFUSAL if blocked_term(question.words, Direction.IN) else None


STEP = Step(answer, is_screened=False)
