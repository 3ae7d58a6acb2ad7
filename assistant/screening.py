"""Blocked words: in what customers write, and in what the bot would say.

Each process keeps one automaton over the folded terms.
"""

from __future__ import annotations

import re

import ahocorasick

from assistant.models import BlockedTerm, Direction
from common.fresh import Fresh
from common.text import Words, fold

VERSION_KEY = "assistant:blocked_terms:version"
# An editor's change is heard this many seconds later in every process.
LOOK_SECONDS = 1.0

# Written apart to slip through: "敏 感 词", "敏.感.词". Only letters that all stand alone are put
# together.
_LONE_LETTERS = re.compile(r"(?<=\b\w) (?=\w\b)")


def blocked_term(words: Words, direction: Direction) -> str | None:
    """The first blocked term in `words`, for the customer's words (IN)
    or the bot's (OUT).
    """
    automaton = terms.get()
    if automaton is None:
        return None
    for spelling in {words.folded, _LONE_LETTERS.sub("", words.folded)}:
        for end, (term, its_direction) in automaton.iter(spelling):
            if its_direction in (Direction.BOTH, direction) and _stands_alone(spelling, term, end):
                return term
    return None


def _stands_alone(text: str, term: str, end: int) -> bool:
    """A term of letters must be whole words ("ass" is not in "class"); Chinese
    has no word borders.
    """
    start = end - len(term) + 1
    before, after = text[start - 1 : start] if start else "", text[end + 1 : end + 2]
    glued_before = term[0].isascii() and before.isascii() and before.isalnum()
    glued_after = term[-1].isascii() and after.isascii() and after.isalnum()
    return not (glued_before or glued_after)


def _read() -> ahocorasick.Automaton | None:
    """None where there is no term: an empty automaton refuses to search."""
    automaton = ahocorasick.Automaton()
    enabled = BlockedTerm.objects.filter(enabled=True)
    for term, direction in enabled.values_list("term", "direction"):
        if folded := fold(term):
            known = automaton.get(folded, None)
            both = known is not None and known[1] != direction
            automaton.add_word(folded, (folded, Direction.BOTH if both else direction))
    if not len(automaton):
        return None
    automaton.make_automaton()
    return automaton


terms = Fresh(_read, of="blocked terms", every=LOOK_SECONDS, version_key=VERSION_KEY)
