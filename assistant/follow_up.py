"""Whether the customer answers a question of the bot instead of asking one."""

from __future__ import annotations

from assistant import menu, smalltalk
from assistant.answers import Question
from conversations.replies.wording import in_words
from conversations.saying import Saying
from llm import gateway


def answers_the_bot(question: Question) -> bool:
    """ "需要为您查询吗？" "好的", "您买了几件？" "2": for the model, if there is one. Our greeting
    asks nothing so.
    """
    if not question.history or not question.history[-1].rstrip().endswith(("?", "？")):
        return False
    if not gateway.is_configured() or not _may_be_an_answer(question):
        return False
    return question.history[-1] != in_words(Saying("greeting"), question.account_id)


def _may_be_an_answer(question: Question) -> bool:
    is_agreement = smalltalk.may_answer_the_bot(question.words)
    return is_agreement or menu.may_be_a_choice(question.words)
