"""The numbered menu of questions that a customer may have meant, and the choice that comes back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import Question
from common.text import Words
from knowledge.evidence import Evidence
from wechat.replies import tap_link

MOST_CHOICES = 3
# Three labels of this length, as links, stay far below one message of WeChat.
LONGEST_LABEL = 60
LONGEST_CHOICE = 20

# The link says which FAQ it stands for: an older menu on the phone still means what it says.
_LINK_ID = "wechatbot-choice-"
_TAPPED = re.compile(rf"{_LINK_ID}(\d{{1,18}})")
_CHINESE_DIGITS = {digit: number for number, digit in enumerate("零一二三四五六七八九十")} | {
    "两": 2
}
# No longer: an order number, or the end of a phone number, is something to ask about.
_NUMBER = rf"[0-9]{{1,2}}|[{''.join(_CHINESE_DIGITS)}]"
_BARE_NUMBER = re.compile(_NUMBER)
_CHOICE = re.compile(
    rf"(?:我?(?:选|要|问)\s?)?第?\s?({_NUMBER})\s?(?:个|号|项|条)?(?:问题)?(?:吧|的)?"
)


def lines(choices: Sequence[Evidence]) -> str:
    """A tap sends the number, as if it were typed: where a client leaves the link's id out, the
    number is enough.
    """
    return "\n".join(
        tap_link(
            f"{number}. {_label(one.title)}",
            content=str(number),
            option_id=f"{_LINK_ID}{one.id}",
        )
        for number, one in enumerate(choices, start=1)
    )


def was_shown(history: Sequence[str]) -> bool:
    """Whether one of these answers was a menu."""
    return any(_LINK_ID in said for said in history)


def is_bare_number(words: Words) -> bool:
    return _BARE_NUMBER.fullmatch(words.folded) is not None


def may_be_a_choice(words: Words) -> bool:
    """Whether the words choose from a menu, if one was offered; a number that is on no menu counts
    too.
    """
    return _choice(words) is not None


def chosen(question: Question) -> int | None:
    """The FAQ id that the customer tapped, or chose by number from the menu this session offered
    last.
    """
    if (tapped := _TAPPED.fullmatch(question.tapped)) is not None:
        return int(tapped.group(1))
    digits = _choice(question.words)
    if digits is None:
        return None
    number = _CHINESE_DIGITS[digits] if digits in _CHINESE_DIGITS else int(digits)
    return question.offered[number - 1] if 1 <= number <= len(question.offered) else None


def _choice(words: Words) -> str | None:
    """The number in words that choose."""
    found = _CHOICE.fullmatch(words.folded) if len(words.text) <= LONGEST_CHOICE else None
    return found.group(1) if found is not None else None


def _label(question: str) -> str:
    return question if len(question) <= LONGEST_LABEL else f"{question[: LONGEST_LABEL - 1]}…"
