"""What a customer wants when they do not ask a question: a person, or no person any more.

A wish is the whole message, or a clause of its own that says it outright ("我要退款，转人工"). A
word that merely occurs is none: "人工智能是什么" and "人工费多少" are questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.vocabulary import shapes, words
from common.text import Words, joined, without_marks

# A wish is short. The bound also keeps a pasted page of text away from the patterns.
LONGEST_WISH = 60
LONGEST_MESSAGE = 200

# The shapes use possessive quantifiers (`*+`): particles pile up in any order, and a pile must
# never cost more than one pass.
_PERSON = re.compile(shapes("wish", "person"), re.VERBOSE)
_PERSON_IN_A_CLAUSE = re.compile(shapes("wish", "person_in_a_clause"), re.VERBOSE)
_NO_PERSON = re.compile(shapes("wish", "no_person"), re.VERBOSE)


def _as_typed(hint: str) -> str:
    """Chinese may be typed with spaces between its characters."""
    return hint if hint.isascii() else r"\s*".join(hint)


# Every wish has a hint, as typed: most messages need no folding to be known for none. Full-width
# letters may be one; full-width marks (？，！) end nearly every question in Chinese and are none.
_FULL_WIDTH_LETTER = "[\uff21-\uff3a\uff41-\uff5a]"
_MAY_BE_A_WISH = re.compile(
    "|".join([*map(_as_typed, words("wish", "hints")), _FULL_WIDTH_LETTER]), re.I
)
_CLAUSE_END = re.compile(r"[，。！？；、,.!?;\n\s~～…]+")


def wants_human(said: Words) -> bool:
    """Whether the customer asks for a person instead of the bot."""
    if len(said.text) > LONGEST_MESSAGE or not _MAY_BE_A_WISH.search(said.text):
        return False
    is_wish = len(said.joined) <= LONGEST_WISH and _PERSON.fullmatch(said.joined) is not None
    return is_wish or any(map(_PERSON_IN_A_CLAUSE.fullmatch, _clauses(said)))


def wants_no_human(said: Words) -> bool:
    """Whether a customer who waits for a person gives up the wait."""
    return len(said.text) <= LONGEST_WISH and _NO_PERSON.fullmatch(said.joined) is not None


def _clauses(said: Words) -> Iterator[str]:
    """The parts of a message between its marks and spaces, each without the marks it still has."""
    for clause in _CLAUSE_END.split(said.alike):
        yield joined(without_marks(clause))
