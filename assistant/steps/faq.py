"""The knowledge base's own words: the choice from a menu, or a match of the answer band."""

from __future__ import annotations

from assistant import menu
from assistant.answers import Answer, Question
from assistant.models import Source
from assistant.steps.step import Step
from knowledge.evidence import Evidence
from knowledge.retrieval import matching


def answer(question: Question) -> Answer | None:
    choice = _choice(question)
    if choice is not None:
        # The menu is still on the phone: who chose from it may choose again.
        return _given(choice, confidence=1.0, offered=question.offered)
    match = matching.match(question.words)
    if match.band != "answer":
        return None
    return _given(match.evidence[0], confidence=match.confidence)


def _choice(question: Question) -> Evidence | None:
    faq_id = menu.chosen(question)
    return matching.by_id(faq_id) if faq_id is not None else None


def _given(found: Evidence, *, confidence: float, offered: tuple[int, ...] = ()) -> Answer:
    return Answer(found.text, Source.FAQ, evidence=(found,), confidence=confidence, offered=offered)


STEP = Step(answer, while_waiting=True, needs_session=menu.may_be_a_choice)
