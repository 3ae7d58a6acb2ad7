"""The knowledge base of one process, ready for matching, and its exchange for a newer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from common.fresh import Fresh
from knowledge.models import FAQ, SynonymRule
from knowledge.retrieval.lexical.ranking import Ranking
from knowledge.synonyms import Synonyms
from knowledge.versions import knowledge_version

CHECK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    faq_id: int
    question: str
    answer: str


@dataclass(frozen=True)
class Index:
    """All enabled FAQs of one knowledge version. Never changed after it was built."""

    entries: tuple[Entry, ...]
    ranking: Ranking
    by_id: dict[int, Entry]


def current_index() -> Fresh[Index]:
    """A process's index: while one thread builds a newer one, all others are served by the old."""
    return Fresh(build, of="the knowledge base", every=CHECK_EVERY, version=knowledge_version)


def build() -> Index:
    """The index of the rows as they are now."""
    rows, rules = _read_rows()
    entries = tuple(Entry(row.faq_id, row.question, row.answer) for row in rows)
    ranking = Ranking([(row.question, *row.phrasings) for row in rows], Synonyms(rules))
    return Index(entries, ranking, {entry.faq_id: entry for entry in entries})


@dataclass
class _Row:
    faq_id: int
    question: str
    answer: str
    phrasings: list[str] = field(default_factory=list)


def _read_rows() -> tuple[Sequence[_Row], Sequence[str]]:
    published = FAQ.objects.published()
    rows = {
        row[0]: _Row(*row)
        for row in published.order_by("pk").values_list("pk", "question", "answer")
    }
    phrasings = published.filter(phrasings__isnull=False).order_by("pk", "phrasings__pk")
    for faq_id, text in phrasings.values_list("pk", "phrasings__text"):
        if faq_id in rows:
            rows[faq_id].phrasings.append(text)
    rules = SynonymRule.objects.filter(enabled=True).order_by("pk").values_list("words", flat=True)
    return list(rows.values()), list(rules)
