"""The customer asks for a person. Who waits for one already is told nothing."""

from __future__ import annotations

from assistant.answers import NOTHING_TO_SAY, Answer, Doubt, Question
from assistant.models import Source
from assistant.steps.step import Step
from assistant.wishes import wants_human


def answer(question: Question) -> Answer | None:
    if not wants_human(question.words):
        return None
    return NOTHING_TO_SAY if question.faq_only else Answer("", Source.NONE, Doubt.CUSTOMER_ASKED)


STEP = Step(answer, while_waiting=True, is_screened=False)
