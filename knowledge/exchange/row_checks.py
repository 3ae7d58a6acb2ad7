"""What is wrong with a row of a CSV file, in words for whoever edits the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from knowledge.exchange.csv_file import BETWEEN_PHRASINGS, ROW_NUMBER, header_of
from knowledge.models import FAQ, LONGEST_CATEGORY, LONGEST_WORDING
from knowledge.terms import wording
from knowledge.validation import Wordings

YES = {"1", "y", "yes", "true", "on", "是", "启用", "√", ""}
NO = {"0", "n", "no", "false", "off", "否", "停用", "禁用", "×"}
_BETWEEN_PHRASINGS = re.compile(f"[{BETWEEN_PHRASINGS}]")

Row = Mapping[str, Any]


def split_phrasings(cell: str) -> tuple[str, ...]:
    """The texts in a cell, each way to ask once."""
    by_folded: dict[str, str] = {}
    for text in _BETWEEN_PHRASINGS.split(cell):
        by_folded.setdefault(wording(text), text.strip())
    return tuple(text for folded, text in by_folded.items() if folded)


class RowChecks:
    """Checks the rows of one file in their order, against each other and against the FAQs that are
    there.

    `rewritten`: the folded questions whose phrasings the file replaces, so that their old ones are
    free again.
    """

    def __init__(self, stored: Iterable[FAQ], *, rewritten: set[str]) -> None:
        self._row_of_question: dict[str, int] = {}
        self._wordings = Wordings(
            (faq.question, () if wording(faq.question) in rewritten else _phrasings_of(faq))
            for faq in stored
        )

    def check(self, row: Row) -> None:
        """Raise a ValidationError that names everything wrong by its column."""
        found = {
            "question": self._question_errors(row),
            "answer": [] if row["answer"] else [_("请写出答案。")],
            "category": _length_errors(row.get("category", ""), LONGEST_CATEGORY),
            "phrasings": self._phrasing_errors(row),
            "enabled": _enabled_errors(row.get("enabled", "")),
        }
        errors: dict[str, Any] = {
            header_of(column): messages for column, messages in found.items() if messages
        }
        if errors:
            raise ValidationError(errors)
        self._row_of_question[wording(row["question"])] = row[ROW_NUMBER]
        self._wordings.add(
            row["question"], [row["question"], *split_phrasings(row.get("phrasings", ""))]
        )

    def _question_errors(self, row: Row) -> list[str]:
        first = self._row_of_question.get(wording(row["question"]))
        if first is not None:
            return [_("与第 %(row)d 行的问题重复。") % {"row": first}]
        return self._wording_errors(row["question"], row["question"])

    def _phrasing_errors(self, row: Row) -> list[str]:
        texts = split_phrasings(row.get("phrasings", ""))
        return [
            message for text in texts for message in self._wording_errors(text, row["question"])
        ]

    def _wording_errors(self, text: str, question: str) -> list[str]:
        try:
            self._wordings.check(text, question=question)
        except ValidationError as error:
            return error.messages
        return _length_errors(text, LONGEST_WORDING)


def _length_errors(text: str, longest: int) -> list[str]:
    is_too_long = len(text) > longest
    return (
        [_("「%(text)s…」超过 %(longest)d 个字。") % {"text": text[:20], "longest": longest}]
        if is_too_long
        else []
    )


def _enabled_errors(cell: str) -> list[str]:
    is_known = cell.lower() in YES | NO
    return [] if is_known else [_("「%(text)s」应为 1 或 0（是、否亦可）。") % {"text": cell[:20]}]


def _phrasings_of(faq: FAQ) -> list[str]:
    return [phrasing.text for phrasing in faq.phrasings.all()]
