"""Folding of text: what makes two ways of typing the same words equal, and what
no text may hold.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

# XML 1.0 forbids these; one of them in a customer's message breaks a strict parser.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NOT_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=1)
def _to_simplified() -> OpenCC:
    return OpenCC("t2s")


def without_control(text: str) -> str:
    """`text` without the characters that XML 1.0 forbids (tab and line breaks stay)."""
    return _FORBIDDEN.sub("", text)


def simplified(text: str) -> str:
    return text if text.isascii() else _to_simplified().convert(text)


def fold(text: str) -> str:
    """`text` with width, case, traditional characters and punctuation folded away.

    Words of alphabetic languages stay apart by one space: ``fold("ＶＩＰ 退貨？") == "vip 退货"``.
    """
    folded = unicodedata.normalize("NFKC", without_control(text)).casefold()
    return _NOT_WORD.sub(" ", simplified(folded)).strip()
