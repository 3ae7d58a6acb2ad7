"""A number that chooses nothing is no question: the customer sees the menu again, or is asked for
words.
"""

from __future__ import annotations

from assistant import menu
from assistant.answers import Answer, Question
from assistant.follow_up import answers_the_bot
from assistant.models import Source
from assistant.steps.step import Step
from conversations.saying import Saying
from knowledge.retrieval import matching
from llm import gateway


def answer(question: Question) -> Answer | None:
    if not menu.may_be_a_choice(question.words):
        return None
    offered = map(matching.by_id, question.offered)
    choices = [choice for choice in offered if choice is not None]
    if choices:
        said = Saying("menu_again", choices=menu.lines(choices))
        return Answer(said, Source.MENU, offered=tuple(choice.id for choice in choices))
    if answers_the_bot(question):
        return None
    if not menu.is_bare_number(question.words) and gateway.is_configured():
        # "第一个", where the model has named several things.
        return None
    return Answer(Saying("ask_in_words"), Source.SYSTEM)


STEP = Step(answer, needs_session=menu.may_be_a_choice, is_screened=False)
