"""The numbered menu of questions that a customer may have meant, and the choice that comes back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import Question
from common.text import fold
from conversations.texts import say_text
from knowledge.matching import Candidate
from wechat.replies import tap_link

MOST_CHOICES = 3
# Three labels of this length, as links, stay far below one message of WeChat.
LONGEST_LABEL = 60

_CHINESE_DIGITS = {"一": 1, "二": 2, "三": 3, "两": 2}
_CHOICE = re.compile(r"(?:我?(?:选|要|问)\s?)?第?\s?([1-9一二三两])\s?(?:个|号|项|条)?(?:问题)?(?:吧|的)?")


def menu_text(candidates: Sequence[Candidate], account_id: int) -> str:
    """A tap sends the number, as if it were typed: what comes back is the same for both."""
    lines = [
        tap_link(f"{number}. {_label(one.question)}", content=str(number), menu_id=f"wechatbot-choice-{number}")
        for number, one in enumerate(candidates, start=1)
    ]
    return say_text("menu", account_id, choices="\n".join(lines))


def may_be_a_choice(text: str) -> bool:
    """Whether the words choose from a menu, if one was offered."""
    return _CHOICE.fullmatch(fold(text)) is not None


def chosen(question: Question) -> int | None:
    """The FAQ id that the customer chose from the menu this session offered last."""
    choice = _CHOICE.fullmatch(fold(question.text))
    if choice is None:
        return None
    digit = choice.group(1)
    number = _CHINESE_DIGITS.get(digit) or int(digit)
    return question.offered[number - 1] if number <= len(question.offered) else None


def _label(question: str) -> str:
    return question if len(question) <= LONGEST_LABEL else f"{question[: LONGEST_LABEL - 1]}…"
