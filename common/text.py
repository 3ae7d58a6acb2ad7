"""Folding of text: what makes two ways of typing the same words equal, and what
no text may hold.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property, lru_cache

from opencc import OpenCC

# XML 1.0 forbids these; one of them in a customer's message breaks a strict parser.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NOT_WORD = re.compile(r"[\W_]+")
# Words of alphabetic languages need the space between them, other letters need none.
_NEEDLESS_SPACE = re.compile(r"(?<![a-z0-9\u00c0-\u024f]) | (?![a-z0-9\u00c0-\u024f])")


@lru_cache(maxsize=1)
def _to_simplified() -> OpenCC:
    return OpenCC("t2s")


def without_control(text: str) -> str:
    """`text` without the characters that XML 1.0 forbids (tab and line breaks stay)."""
    return _FORBIDDEN.sub("", text)


def simplified(text: str) -> str:
    return text if text.isascii() else _to_simplified().convert(text)


def alike(text: str) -> str:
    """`text` with width, case and traditional characters folded away. The marks stay."""
    return simplified(unicodedata.normalize("NFKC", without_control(text)).casefold())


def fold(text: str) -> str:
    """`text` with width, case, traditional characters and punctuation folded away.

    Words of alphabetic languages stay apart by one space: ``fold("ＶＩＰ 退貨？") == "vip 退货"``.
    """
    return without_marks(alike(text))


def without_marks(text: str) -> str:
    """The words of a text that is `alike` already."""
    return _NOT_WORD.sub(" ", text).strip()


def joined(folded: str) -> str:
    """`folded` without the spaces that may stand anywhere between Chinese characters."""
    return _NEEDLESS_SPACE.sub("", folded)


class Words:
    """What somebody wrote, and its readings. Each reading is worked out once, when it is first
    asked for: the object is made once per message and passed on.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Words({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def alike(self) -> str:
        return alike(self.text)

    @cached_property
    def folded(self) -> str:
        return without_marks(self.alike)

    @cached_property
    def joined(self) -> str:
        return joined(self.folded)
