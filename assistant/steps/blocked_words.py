"""The customer's words hold a blocked term: a polite refusal."""

from __future__ import annotations

from assistant.answers import Answer, Question
from assistant.models import Direction, Source
from assistant.screening import blocked_term
from assistant.steps.step import Step
from assistant.wording import words_for


def answer(question: Question) -> Answer | None:
    return refusal(question) if blocked_term(question.words, Direction.IN) else None


def refusal(question: Question) -> Answer:
    return Answer(words_for("blocked", question), Source.BLOCKED)


STEP = Step(answer, is_screened=False)
