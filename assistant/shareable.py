"""Whether one answer can serve every customer who asks a question.

Only a question that can be understood alone may share its answer: "那多久呢" means nothing without
what was said before, and an order number belongs to one customer.
"""

from __future__ import annotations

import re

from assistant.vocabulary import whole_words, words
from common.text import Words

SHORTEST = 4

_POINTS_BACK_FIRST = re.compile(whole_words(words("not_shared", "points_back_first")))
_POINTS_BACK = re.compile(whole_words(words("not_shared", "points_back")))
_OF_ONE_CUSTOMER = re.compile(
    rf"\d{{5,}}|(?<![\w.+-])[\w.+-]++@[\w-]++\.\w|{whole_words(words('not_shared', 'own'))}"
)


def is_shareable(question: Words) -> bool:
    if len(question.folded.replace(" ", "")) < SHORTEST:
        return False
    if _POINTS_BACK_FIRST.match(question.folded) or _POINTS_BACK.search(question.folded):
        return False
    return not _OF_ONE_CUSTOMER.search(question.text)
