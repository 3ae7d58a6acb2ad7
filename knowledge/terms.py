"""What matching compares: a question as weighted terms.

Characters and pairs of neighbours for Chinese, where a word splitter measured worse; whole words,
pairs of words and pieces of words for alphabetic languages, so that "refunds" still resembles
"refund".
"""

from __future__ import annotations

import re
from itertools import pairwise

from common.text import Words, joined
from knowledge.synonyms import Synonyms

# A run of Latin letters and digits is one unit, any other letter is a unit of its own.
_UNIT = re.compile(r"[a-z0-9\u00c0-\u024f]+|[^\W_]")
# Politeness says nothing about the question, but in a knowledge base of thirty lines it would weigh
# like a rare word.
_COURTESY = re.compile(
    r"^(?:你好|您好|请问|麻烦|我?想?[问咨][一]?下| )+|[啊呀哦嘛呢](?= |$)|(?:谢谢)(?:您|你|了)?$"
)

UNIT_WEIGHT = 1.0
PAIR_WEIGHT = 0.4
PIECE_WEIGHT = 0.3
PIECE_SIZES = (3, 4)


def wording(text: str) -> str:
    """`text` folded, and without the spaces and commas that may stand anywhere between Chinese
    characters.
    """
    return Words(text).joined


def canonical(folded: str, synonyms: Synonyms) -> str:
    """A folded text as matching reads it: two texts that are equal here ask the same."""
    return synonyms.apply(joined(_COURTESY.sub("", folded).strip() or folded))


def terms_of(canonical_text: str) -> list[tuple[str, float]]:
    """All terms of a text with the weight of their sort, repeated as often as they occur."""
    units = _UNIT.findall(canonical_text)
    terms = [(unit, UNIT_WEIGHT) for unit in units]
    terms += [(f"{left} {right}", PAIR_WEIGHT) for left, right in pairwise(units)]
    for unit in units:
        if len(unit) > 2:
            terms += [(piece, PIECE_WEIGHT) for piece in _pieces(unit)]
    return terms


def _pieces(word: str) -> list[str]:
    """Short runs of letters, marked so that none is taken for a whole word."""
    padded = f"<{word}>"
    return [
        "#" + padded[start : start + size]
        for size in PIECE_SIZES
        for start in range(len(padded) - size + 1)
    ]
