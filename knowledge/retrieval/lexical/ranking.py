"""Which line of the knowledge base resembles a question most. Pure calculation on numpy postings.

Lines are the questions and phrasings of all FAQs; an FAQ is as good as its best line. The score
blends TF-IDF cosine with BM25, both of which are sums over the terms that question and line share,
so one pass over the postings of the question's terms gives it for all lines.

Constants were chosen on the `dev` splits of the measuring sets (`manage.py evaluate_matching`).
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.text import Words, fold
from knowledge.retrieval.lexical.confidence import MOST_IN_DOUBT, confidence_of
from knowledge.retrieval.lexical.guards import asks_something_else
from knowledge.synonyms import Synonyms
from knowledge.terms import canonical, terms_of

COSINE_SHARE = 0.7
BM25_K1 = 1.2
BM25_B = 0.75
# No line is longer, and whoever writes more than this asks no question that a line could resemble.
# Counted after folding, which makes eighteen characters of one; what is cut off before is more than
# the spaces that are still to go.
MOST_READ = 1000
MOST_FOLDED = 4 * MOST_READ
# For the eye only: a line of the same words in another order is not the very question.
MOST_SHOWN_UNLESS_EXACT = 0.99

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """The best entries for a question, by position in the list the ranking was built from, best
    first.
    """

    confidence: float
    positions: tuple[int, ...]
    scores: tuple[float, ...]


NOTHING = Ranked(0.0, (), ())


class Ranking:
    """Postings of all lines of `entries` (each entry: its question and phrasings), built once and
    never changed.

    Terms are kept as 64-bit hashes of this process, sorted: a dictionary of strings would take ten
    times the memory.
    """

    def __init__(self, entries: Sequence[Sequence[str]], synonyms: Synonyms) -> None:
        self._synonyms = synonyms
        self._exact: dict[str, int] = {}
        owners = array("q")
        self._texts: list[str] = []
        lines, hashes, weights = array("q"), array("q"), array("d")
        for position, texts in enumerate(entries):
            for text in texts:
                read = canonical(fold(text), synonyms)
                if not read:
                    continue
                self._exact.setdefault(read, position)
                for term, weight in terms_of(read):
                    lines.append(len(owners))
                    hashes.append(hash(term))
                    weights.append(weight)
                owners.append(position)
                self._texts.append(read)
        self._owners = np.array(owners, dtype=np.int64)
        self._first_lines = np.flatnonzero(np.diff(self._owners, prepend=-1))
        self._positions = self._owners[self._first_lines]
        self._make_postings(np.array(lines), np.array(hashes), np.array(weights))

    def _make_postings(self, lines: Ints, hashes: Ints, sort_weights: Floats) -> None:
        self._terms, first_seen, term_ids = np.unique(
            hashes, return_index=True, return_inverse=True
        )
        line_count = max(len(self._owners), 1)
        pairs, counts = np.unique(term_ids * line_count + lines, return_counts=True)
        terms, where = np.divmod(pairs, line_count)

        owners = self._owners[where]
        is_new_entry = np.diff(terms, prepend=-1).astype(bool) | np.diff(owners, prepend=-1).astype(
            bool
        )
        entries_with = np.bincount(terms[is_new_entry], minlength=len(self._terms))
        entry_count = len(self._first_lines)
        sort_weight = sort_weights[first_seen]
        self._cosine_idf = (sort_weight * _cosine_idf(entry_count, entries_with)).astype(np.float32)
        self._bm25_idf = (sort_weight * _bm25_idf(entry_count, entries_with)).astype(np.float32)
        self._unknown_cosine_idf = float(_cosine_idf(entry_count, np.zeros(1))[0])
        self._unknown_bm25_idf = float(_bm25_idf(entry_count, np.zeros(1))[0])

        tf_idf = (1 + np.log(counts)) * self._cosine_idf[terms]
        norms = np.sqrt(np.bincount(where, tf_idf**2, line_count))
        lengths = np.bincount(where, counts, line_count)
        saturation = counts + BM25_K1 * (
            1 - BM25_B + BM25_B * lengths[where] / max(lengths.mean(), 1)
        )
        self._starts = np.searchsorted(terms, np.arange(len(self._terms) + 1))
        self._lines = where.astype(np.int32)
        self._cosine = (tf_idf / norms[where]).astype(np.float32)
        self._bm25 = (self._bm25_idf[terms] * counts * (BM25_K1 + 1) / saturation).astype(
            np.float32
        )

    def rank(self, question: Words, limit: int = 3) -> Ranked:
        """The best `limit` entries. A question equal to a line, as matching reads both, has
        confidence 1.
        """
        read = canonical(question.folded[:MOST_FOLDED], self._synonyms)[:MOST_READ]
        scores = self._scores(read)
        if scores is None:
            return NOTHING
        best = np.maximum.reduceat(scores, self._first_lines)
        exact = self._exact.get(read)
        if exact is not None:
            best[self._positions.searchsorted(exact)] = np.inf
        top = _largest(best, max(limit, 2))
        values = np.minimum(best[top], 1.0)
        if exact is None:
            confidence = self._confidence(read, int(top[0]), values[:2].tolist())
            values = np.minimum(values, MOST_SHOWN_UNLESS_EXACT)
        else:
            confidence = 1.0
        shown = np.flatnonzero(values[:limit] > 0)
        return Ranked(
            confidence,
            positions=tuple(self._positions[top[shown]].tolist()),
            scores=tuple(values[shown].tolist()),
        )

    def _confidence(self, read: str, entry: int, best_values: Sequence[float]) -> float:
        """How sure the best entry, the `entry`-th of those with words, is meant by a text that is
        none of its lines.
        """
        confidence = confidence_of(*best_values)
        if confidence <= MOST_IN_DOUBT:
            return confidence
        # One character ("换", "换换换") stands in many questions, and leads in one of them by
        # chance.
        if len(set(read) - {" "}) == 1 or asks_something_else(read, self._lines_of(entry)):
            return MOST_IN_DOUBT
        return confidence

    def _lines_of(self, entry: int) -> Sequence[str]:
        starts = self._first_lines[entry : entry + 2].tolist()
        return self._texts[starts[0] : starts[1] if len(starts) > 1 else None]

    def _scores(self, read: str) -> Floats | None:
        """Each line's score, or None when no line shares a term with the question."""
        counted = Counter(terms_of(read))
        if not counted or not len(self._terms):
            return None
        hashes = np.fromiter((hash(term) for term, _ in counted), np.int64, len(counted))
        sort_weights = np.fromiter((weight for _, weight in counted), np.float64, len(counted))
        frequency = 1 + np.log(np.fromiter(counted.values(), np.float64, len(counted)))
        ids = self._terms.searchsorted(hashes).clip(max=len(self._terms) - 1)
        known = self._terms[ids] == hashes
        if not known.any():
            return None

        tf_idf = frequency * np.where(
            known, self._cosine_idf[ids], sort_weights * self._unknown_cosine_idf
        )
        bm25_most = np.where(
            known, self._bm25_idf[ids], sort_weights * self._unknown_bm25_idf
        ).sum()
        ids = ids[known]
        cosine_factor = COSINE_SHARE * tf_idf[known] / math.sqrt(float((tf_idf**2).sum()))
        slices = [
            slice(start, end)
            for start, end in zip(self._starts[ids], self._starts[ids + 1], strict=True)
        ]
        lengths = self._starts[ids + 1] - self._starts[ids]
        cosine = np.concatenate([self._cosine[part] for part in slices]) * np.repeat(
            cosine_factor, lengths
        )
        bm25 = np.concatenate([self._bm25[part] for part in slices]) * (
            (1 - COSINE_SHARE) / bm25_most
        )
        lines = np.concatenate([self._lines[part] for part in slices])
        return np.bincount(lines, cosine + bm25, len(self._owners)).astype(np.float64, copy=False)


def _cosine_idf(entry_count: int, entries_with: NDArray[np.int64] | Floats) -> Floats:
    return np.log((1 + entry_count) / (1 + entries_with)) + 1


def _bm25_idf(entry_count: int, entries_with: NDArray[np.int64] | Floats) -> Floats:
    return np.log(1 + (entry_count - entries_with + 0.5) / (entries_with + 0.5))


def _largest(values: Floats, count: int) -> Ints:
    """Positions of the `count` largest values, largest first, the earlier position first among
    equals.
    """
    count = min(count, len(values))
    candidates = np.sort(np.argpartition(-values, count - 1)[:count])
    return candidates[np.argsort(-values[candidates], kind="stable")]
