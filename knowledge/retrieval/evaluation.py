"""How well matching finds the right FAQ, measured on real questions. Touches neither database nor
Redis.

Files are JSON lines. Knowledge base: `{"id", "question", "aliases": [...]}`. Questions: `{"text",
"expected": id or null, "split": "dev" or "test"}`, null where no entry answers. What is chosen is
chosen on `dev`, reported on `test`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from common.text import Words
from knowledge.retrieval.lexical.confidence import ANSWER_AT
from knowledge.retrieval.lexical.ranking import Ranked, Ranking
from knowledge.synonyms import SHIPPED, Synonyms

PRECISION = 0.90
T = TypeVar("T")


class UnreadableSet(ValueError):
    """A file is not of the shape above; its text names file and line."""


@dataclass(frozen=True)
class KnownEntry:
    id: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class AskedQuestion:
    text: str
    expected: str | None
    split: str


@dataclass(frozen=True)
class Outcome:
    """What matching made of one question: at which place the right entry stood (None: not among the
    three).
    """

    is_answerable: bool
    place: int | None
    confidence: float

    @property
    def is_right(self) -> bool:
        return self.place == 1


@dataclass(frozen=True)
class Report:
    questions: int
    answerable: int
    recall_at_1: float
    recall_at_3: float
    threshold: float
    answered_share: float
    precision: float
    # With the border that is shipped: how many of the answerable are answered rightly, how many
    # answers are right.
    shipped_right: float
    shipped_precision: float


def evaluate(entries: Sequence[KnownEntry], questions: Sequence[AskedQuestion]) -> Report:
    ranking = Ranking([entry.texts for entry in entries], Synonyms(SHIPPED))
    ids = [entry.id for entry in entries]
    dev = [_outcome(ranking, ids, asked) for asked in questions if asked.split == "dev"]
    test = [_outcome(ranking, ids, asked) for asked in questions if asked.split == "test"]
    if not dev or not test:
        raise UnreadableSet(
            'questions of both splits are needed: "split": "dev" and "split": "test"'
        )
    threshold = threshold_for(dev)
    answerable = [outcome for outcome in test if outcome.is_answerable]
    answered = [outcome for outcome in test if outcome.confidence >= threshold]
    shipped = [outcome for outcome in test if outcome.confidence >= ANSWER_AT]
    right = sum(outcome.is_right for outcome in shipped)
    return Report(
        questions=len(test),
        answerable=len(answerable),
        recall_at_1=_share(answerable, lambda outcome: outcome.is_right),
        recall_at_3=_share(answerable, lambda outcome: outcome.place is not None),
        threshold=threshold,
        answered_share=len(answered) / len(test),
        precision=_share(answered, lambda outcome: outcome.is_right),
        shipped_right=right / len(answerable) if answerable else 0.0,
        shipped_precision=_share(shipped, lambda outcome: outcome.is_right),
    )


def threshold_for(outcomes: Sequence[Outcome], precision: float = PRECISION) -> float:
    """The lowest confidence from which at least `precision` of the answers are right; above 1 when
    there is none.
    """
    best, right = 1.01, 0
    by_confidence = sorted(outcomes, key=lambda outcome: -outcome.confidence)
    for count, outcome in enumerate(by_confidence, start=1):
        right += outcome.is_right
        is_last_of_equals = (
            count == len(by_confidence) or by_confidence[count].confidence < outcome.confidence
        )
        if is_last_of_equals and right >= precision * count:
            best = outcome.confidence
    return best


def read_entries(path: Path) -> list[KnownEntry]:
    return _read(path, lambda row: KnownEntry(row["id"], (row["question"], *row["aliases"])))


def read_questions(path: Path) -> list[AskedQuestion]:
    return _read(path, lambda row: AskedQuestion(row["text"], row["expected"], row["split"]))


def _outcome(ranking: Ranking, ids: Sequence[str], asked: AskedQuestion) -> Outcome:
    ranked: Ranked = ranking.rank(Words(asked.text))
    found = [ids[position] for position in ranked.positions]
    place = found.index(asked.expected) + 1 if asked.expected in found else None
    return Outcome(asked.expected is not None, place, ranked.confidence)


def _share(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> float:
    return sum(map(holds, outcomes)) / len(outcomes) if outcomes else 0.0


def _read(path: Path, make: Callable[[Mapping[str, Any]], T]) -> list[T]:
    rows: list[T] = []
    for number, line in _lines(path):
        try:
            rows.append(make(json.loads(line)))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise UnreadableSet(f"{path}, line {number}: {error!r}") from error
    if not rows:
        raise UnreadableSet(f"{path} is empty")
    return rows


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSet(f"{path}: {error}") from error
    return (
        (number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()
    )
