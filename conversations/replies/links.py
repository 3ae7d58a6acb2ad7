"""The tap links of accounts without the customer-service API, and how the tap is known when it
comes back.

A tap arrives as an ordinary text with `bizmsgmenuid`, which some clients leave out: the words alone
are enough, and a customer may type them.
"""

from __future__ import annotations

import re

from common.text import Words, fold
from conversations.texts import own_words, ready_template, ready_text
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


def say_with_link(moment: str, label: str, account_id: int) -> str:
    """The account's words for `moment` with a link to tap, which reads as its words for `label`,
    and beside the link the words to type.
    """
    own_words.get()  # Reads them again where they may be old.
    return ready_with_link(moment, label, account_id)


def ready_with_link(moment: str, label: str, account_id: int) -> str:
    """The same from what this process knows already. Words of an editor that tell what to type get
    the link alone.
    """
    shown = ready_text(label, account_id)
    link, words = look_link(shown), words_of(shown)
    if words not in ready_template(moment, account_id):
        link = ready_text("look_words", account_id, link=link, words=words)
    return ready_text(moment, account_id, link=link)
