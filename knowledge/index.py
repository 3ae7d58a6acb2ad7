"""The knowledge base of one process, ready for matching, and its exchange for a newer one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from django.db import DatabaseError

from common.database_threads import database_work
from knowledge.models import FAQ, SynonymRule
from knowledge.ranking import Ranking
from knowledge.synonyms import Synonyms
from knowledge.versions import knowledge_version

logger = logging.getLogger(__name__)

CHECK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    faq_id: int
    question: str
    answer: str


@dataclass(frozen=True)
class Index:
    """All enabled FAQs of one knowledge version. Never changed after it was built."""

    version: str
    entries: tuple[Entry, ...]
    ranking: Ranking
    by_id: dict[int, Entry]


class CurrentIndex:
    """Hands out the newest index. Asks for the version at most once a second, and builds at most
    one at a time.

    Whoever finds a new version builds its index on the spot; all others are served by the old one
    meanwhile.
    """

    def __init__(self) -> None:
        self._index: Index | None = None
        self._check_at = 0.0
        self._building = threading.Lock()

    def get(self) -> Index:
        index = self._index
        if index is not None and monotonic() < self._check_at:
            return index
        if index is None:
            with self._building:
                return self._newest()
        if not self._building.acquire(blocking=False):
            return index
        try:
            return self._newest()
        finally:
            self._building.release()

    def forget(self) -> None:
        self._index = None

    def _newest(self) -> Index:
        index = self._index
        if index is not None and monotonic() < self._check_at:
            return index
        try:
            version = knowledge_version()
            if index is None or index.version != version:
                index = build(version)
        except DatabaseError:
            if index is None:
                raise
            logger.warning(
                "the database is away: matching goes on with the knowledge base as it was"
            )
        self._index = index
        self._check_at = monotonic() + CHECK_EVERY
        return index


def build(version: str) -> Index:
    """The index of the rows as they are now. `version` was read before them, so a change in between
    is seen next.
    """
    rows, rules = _read_rows()
    entries = tuple(Entry(row.faq_id, row.question, row.answer) for row in rows)
    ranking = Ranking([(row.question, *row.phrasings) for row in rows], Synonyms(rules))
    return Index(version, entries, ranking, {entry.faq_id: entry for entry in entries})


@dataclass
class _Row:
    faq_id: int
    question: str
    answer: str
    phrasings: list[str] = field(default_factory=list)


@database_work
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
