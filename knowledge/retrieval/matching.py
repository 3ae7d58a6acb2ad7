"""Which FAQ a customer means, in three bands: answer it, suggest some, or none.

The bands' borders and what confidence means are told in `confidence.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.fresh import Fresh
from common.text import Words
from knowledge.evidence import Evidence
from knowledge.retrieval.lexical.confidence import ANSWER_AT, SUGGEST_AT, Band, band_of
from knowledge.retrieval.lexical.index import Entry, Index, current_index

__all__ = [
    "ANSWER_AT",
    "SUGGEST_AT",
    "Band",
    "Match",
    "band_of",
    "by_id",
    "match",
]

# A suggestion must be at least this much as good as the best one.
WORTH_SUGGESTING = 0.5
MOST_SUGGESTIONS = 3
MOST_RECENT = 256


@dataclass(frozen=True)
class Match:
    band: Band
    confidence: float
    evidence: tuple[Evidence, ...]


class _Recent:
    """The last questions' matches under one index: a question is asked for twice on its way, and
    often by many.
    """

    def __init__(self) -> None:
        self._kept: tuple[Index | None, dict[str, Match]] = (None, {})

    def of(self, knowledge: Index) -> dict[str, Match]:
        index, matches = self._kept
        if index is not knowledge or len(matches) >= MOST_RECENT:
            self._kept = knowledge, (matches := {})
        return matches


_current = current_index()
_recent = _Recent()


def match(question: Words, *, index: Fresh[Index] = _current) -> Match:
    """The FAQs that `question` may mean, best first. In the band "none" they are hints for a model
    only.
    """
    knowledge = index.get()
    known = _recent.of(knowledge).get(question.text)
    if known is None:
        known = _recent.of(knowledge)[question.text] = _match(knowledge, question)
    return known


def _match(knowledge: Index, question: Words) -> Match:
    ranked = knowledge.ranking.rank(question, MOST_SUGGESTIONS)
    evidence = tuple(
        _evidence(knowledge.entries[position], score)
        for position, score in zip(ranked.positions, ranked.scores, strict=True)
        if score >= ranked.scores[0] * WORTH_SUGGESTING
    )
    return Match(band_of(ranked.confidence), ranked.confidence, evidence)


def by_id(faq_id: int, *, index: Fresh[Index] = _current) -> Evidence | None:
    """The FAQ that a customer picked from a menu; None when it was disabled or deleted since."""
    entry = index.get().by_id.get(faq_id)
    return _evidence(entry, 1.0) if entry else None


def _evidence(entry: Entry, score: float) -> Evidence:
    return Evidence("faq", entry.faq_id, entry.question, entry.answer, score)
