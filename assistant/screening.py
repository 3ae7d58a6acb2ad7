"""Blocked words: in what customers write, and in what the bot would say.

Each process keeps one automaton over the folded terms and rebuilds it when the version in Redis
changes.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from dataclasses import dataclass

import ahocorasick

from assistant.models import BlockedTerm, Direction
from common.database_threads import database_work
from common.redis import REDIS_AWAY, redis
from common.text import fold

logger = logging.getLogger(__name__)

VERSION_KEY = "assistant:blocked_terms:version"
# Redis is asked at most this often; while it is away the rows are read again at most this often.
LOOK_SECONDS = 1.0
READ_AGAIN_SECONDS = 5.0

# Written apart to slip through: "敏 感 词", "敏.感.词". Only letters that all stand alone are put
# together.
_LONE_LETTERS = re.compile(r"(?<=\b\w) (?=\w\b)")


@dataclass(frozen=True)
class _Terms:
    """One reading of the rows. `automaton` is None where there is no term: an empty one refuses to
    search.
    """

    version: str
    automaton: ahocorasick.Automaton | None
    read_at: float


_terms: _Terms | None = None
_looked_at = float("-inf")


def blocked_term(text: str, direction: Direction) -> str | None:
    """The first blocked term that `text` holds, for the customer's words (IN)
    or the bot's (OUT).
    """
    automaton = _current().automaton
    if automaton is None:
        return None
    folded = fold(text)
    for spelling in {folded, _LONE_LETTERS.sub("", folded)}:
        for end, (term, its_direction) in automaton.iter(spelling):
            if its_direction in (Direction.BOTH, direction) and _stands_alone(spelling, term, end):
                return term
    return None


def terms_changed() -> None:
    """Every process reads the rows again. Call after commit."""
    forget()
    try:
        redis().set(VERSION_KEY, secrets.token_hex(8))
    except REDIS_AWAY:
        logger.warning(
            "Redis is away: other processes hear of the changed blocked terms when it is back"
        )


def forget() -> None:
    """Read the rows again in this process, at the next question."""
    global _terms, _looked_at
    _terms = None
    _looked_at = float("-inf")


def _stands_alone(text: str, term: str, end: int) -> bool:
    """A term of letters must be whole words ("ass" is not in "class"); Chinese
    has no word borders.
    """
    start = end - len(term) + 1
    before, after = text[start - 1 : start] if start else "", text[end + 1 : end + 2]
    glued_before = term[0].isascii() and before.isascii() and before.isalnum()
    glued_after = term[-1].isascii() and after.isascii() and after.isalnum()
    return not (glued_before or glued_after)


def _current() -> _Terms:
    global _terms, _looked_at
    now = time.monotonic()
    known = _terms
    if known is not None and now - _looked_at < LOOK_SECONDS:
        return known
    version = _version()
    _looked_at = now
    if known is None or _is_old(known, version, now):
        # A change between the version and the rows is read twice, never missed.
        known = _terms = _Terms(version or "", _read_rows(), now)
    return known


def _is_old(known: _Terms, version: str | None, now: float) -> bool:
    if version is None:
        return now - known.read_at >= READ_AGAIN_SECONDS
    return version != known.version


def _version() -> str | None:
    """None: Redis is away. A Redis that lost its keys gets a new version, and all processes read
    the rows again.
    """
    try:
        stored = redis().get(VERSION_KEY)
        if stored is None:
            redis().set(VERSION_KEY, secrets.token_hex(8), nx=True)
            stored = redis().get(VERSION_KEY)
    except REDIS_AWAY:
        return None
    return stored.decode() if isinstance(stored, bytes) else str(stored)


@database_work
def _read_rows() -> ahocorasick.Automaton | None:
    automaton = ahocorasick.Automaton()
    for term, direction in BlockedTerm.objects.filter(enabled=True).values_list(
        "term", "direction"
    ):
        if folded := fold(term):
            known = automaton.get(folded, None)
            both = known is not None and known[1] != direction
            automaton.add_word(folded, (folded, Direction.BOTH if both else direction))
    if not len(automaton):
        return None
    automaton.make_automaton()
    return automaton
