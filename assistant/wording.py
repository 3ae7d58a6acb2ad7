"""The account's words for what a step says."""

from __future__ import annotations

from collections.abc import Sequence

from assistant import menu
from assistant.answers import Question
from common.database_threads import database_work
from conversations.texts import say_text
from knowledge.evidence import Evidence


@database_work
def words_for(moment: str, question: Question) -> str:
    return say_text(moment, question.account_id)


@database_work
def menu_for(moment: str, choices: Sequence[Evidence], question: Question) -> str:
    return say_text(moment, question.account_id, choices=menu.lines(choices))
