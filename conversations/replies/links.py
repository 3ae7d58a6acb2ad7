"""The tap links of accounts without the customer-service API, and how the tap is known when it
comes back.

A tap arrives as an ordinary text with `bizmsgmenuid`, which some clients leave out: the words alone
are enough, and a customer may type them.
"""

from __future__ import annotations

import re

from common.text import Words, fold
from wechat.replies import tap_link

LOOK_OPTION_ID = "wechatbot-look"
LOOK_WORDS = "查看回复"
LOOK_WORDS_IN_ENGLISH = "View reply"
_WORDS_OF_LINKS = frozenset(fold(words) for words in (LOOK_WORDS, LOOK_WORDS_IN_ENGLISH))
_WORDS_TYPED = _WORDS_OF_LINKS | {
    fold(word) for word in ("查看", "查看回答", "下一页", "看下一页", "继续", "more")
}

_CHINESE = re.compile(r"[\u3400-\u9fff]")


def look_link(label: str) -> str:
    """A link that sends the words for "what waits for me?", which the customer sees as said by
    themselves.
    """
    return tap_link(label, content=words_of(label), option_id=LOOK_OPTION_ID)


def words_of(label: str) -> str:
    """What a tap on the link with this label sends, in the label's language: what a customer may
    type as well.
    """
    return LOOK_WORDS if _CHINESE.search(label) else LOOK_WORDS_IN_ENGLISH


def is_tap(words: Words, option_id: str = "") -> bool:
    """Surely our link: nobody types these words by chance."""
    return option_id == LOOK_OPTION_ID or words.folded in _WORDS_OF_LINKS


def asks_to_look(words: Words, option_id: str = "") -> bool:
    return option_id == LOOK_OPTION_ID or words.folded in _WORDS_TYPED
