"""A greeting, thanks or a goodbye: a text, and never a ticket."""

from __future__ import annotations

from assistant import smalltalk
from assistant.answers import Answer, Question
from assistant.follow_up import answers_the_bot
from assistant.models import Source
from assistant.steps.step import Step
from conversations.saying import Saying


def answer(question: Question) -> Answer | None:
    moment = smalltalk.moment_of(question.words)
    if moment is None or answers_the_bot(question):
        return None
    source = Source.SYSTEM if moment == "not_understood" else Source.SMALLTALK
    # The menu is still on the phone: a "谢谢" does not end it.
    return Answer(Saying(moment), source, offered=question.offered)


STEP = Step(answer, is_screened=False)
