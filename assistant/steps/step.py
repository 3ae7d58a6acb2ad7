"""What a step of the pipeline is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.answers import Answer, Question
from common.text import Words


def _never(words: Words) -> bool:
    return False


@dataclass(frozen=True)
class Step:
    """One way to answer a question. `answer` returns None where it has no answer.

    `while_waiting`: the step is also asked for a customer who waits for a person, and for a click
    on a menu of WeChat (`Question.faq_only`).

    `needs_session`: whether these words may mean something here that only the session tells. Of
    other words the step's answer is the same with and without a session, or nearly so: before a
    session is read, `surely_needs_model` asks the step without one.

    `is_screened`: what it answers was written by others, and is looked at for blocked words.
    """

    answer: Callable[[Question], Answer | None]
    while_waiting: bool = False
    needs_session: Callable[[Words], bool] = _never
    is_screened: bool = True
