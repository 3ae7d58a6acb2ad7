"""No model, or none that answers: the FAQs that the customer may have meant, or a person."""

from __future__ import annotations

from assistant import menu
from assistant.answers import Answer, Doubt, Question
from assistant.models import Source
from assistant.steps.step import Step
from conversations.saying import Saying
from knowledge.retrieval import matching


def answer(question: Question) -> Answer:
    match = matching.match(question.words)
    choices = match.evidence[: menu.MOST_CHOICES]
    offered = tuple(choice.id for choice in choices)
    if match.band != "suggest" or _was_shown(question, offered):
        return Answer("", Source.NONE, Doubt.NOTHING_MATCHED, confidence=match.confidence)
    said = Saying("menu", choices=menu.lines(choices))
    return Answer(said, Source.MENU, offered=offered, confidence=match.confidence)


def _was_shown(question: Question, offered: tuple[int, ...]) -> bool:
    """Who was shown these very questions just now, and asks on, did not mean any of them."""
    return menu.was_shown(question.history[-1:]) and set(offered) <= set(question.offered)


STEP = Step(answer, is_screened=False)
