"""What a model answered to another customer who asked the same."""

from __future__ import annotations

from assistant.answers import Answer, Question
from assistant.models import Source
from assistant.shareable import is_shareable
from assistant.steps.step import Step
from knowledge import cache
from wechat.accounts import namespace


def answer(question: Question) -> Answer | None:
    if question.history and not is_shareable(question.words):
        return None
    known = cache.find(question.words, whose=namespace(question.account_id))
    return Answer(known.answer, Source.CACHE) if known is not None else None


STEP = Step(answer)
