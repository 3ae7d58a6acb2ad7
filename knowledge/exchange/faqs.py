"""FAQs from a CSV file and back: one way for the commands, the admin and the demo shop.

One wrong row, and no row is written. A row whose question is known (as matching reads it, so
without regard to punctuation or width) updates that FAQ. A preview only reads; see `import_writing`
for how rows are written.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tablib  # type: ignore[import-untyped]
from diff_match_patch import diff_match_patch  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from import_export.fields import Field
from import_export.resources import Diff, ModelResource
from import_export.results import InvalidRow, Result, RowResult
from import_export.widgets import Widget

from knowledge.exchange import csv_file
from knowledge.exchange.csv_file import COLUMNS, ROW_NUMBER, RowError
from knowledge.exchange.import_writing import (
    note_phrasings,
    state_of_faqs,
    stored_phrasings,
    write_in_slices,
)
from knowledge.exchange.row_checks import YES, RowChecks, split_phrasings
from knowledge.models import FAQ, Category
from knowledge.terms import wording

# Nobody reads more of a preview, and the page of 10,000 rows would hold 20 MB.
SHOWN_ROWS = 100
# Two long answers are compared this long, then shown as one deleted and one added.
LONGEST_COMPARISON_SECONDS = 0.02


@dataclass(frozen=True)
class ImportResult:
    new: int
    updated: int
    unchanged: int


class ImportRefused(ValueError):
    """Rows are wrong, nothing was written."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = tuple(errors)


def import_rows(text: str) -> ImportResult:
    """Write the FAQs of a CSV text.

    Raises `FileRefused` or `ImportRefused`, and then nothing was written, or `KnowledgeMoved`,
    which says what was.
    """
    result = FAQResource().import_data(csv_file.read(text))
    for problem in (
        *result.base_errors,
        *(error for _row, errors in result.row_errors() for error in errors),
    ):
        raise problem.error
    if result.invalid_rows:
        raise ImportRefused([error for row in result.invalid_rows for error in row.errors])
    return ImportResult(result.totals["new"], result.totals["update"], result.totals["skip"])


def export_text() -> str:
    """All FAQs as CSV text with English headers, in the order they were written."""
    with translation.override("en"):
        return csv_file.write(FAQResource().export())


class _CategoryWidget(Widget):
    """A name that is new becomes a category without a row; `import_writing` gives it one."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Category] = {}

    def clean(
        self, value: str, row: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Category | None:
        if not value:
            return None
        if value not in self.known:
            self.known[value] = Category.objects.filter(name=value).first() or Category(name=value)
        return self.known[value]

    def render(self, value: Category | None, obj: Any = None, **kwargs: Any) -> str:
        return value.name if value else ""


class _EnabledWidget(Widget):
    def clean(self, value: str, row: Mapping[str, Any] | None = None, **kwargs: Any) -> bool:
        return value.lower() in YES

    def render(self, value: bool | None, obj: Any = None, **kwargs: Any) -> str:
        return "1" if value else "0"


class _PhrasingsWidget(Widget):
    def clean(
        self, value: str, row: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, ...]:
        question = wording(row["question"]) if row else ""
        return tuple(text for text in split_phrasings(value) if wording(text) != question)

    def render(self, value: tuple[str, ...] | None, obj: Any = None, **kwargs: Any) -> str:
        return "|".join(value or ())


class _PhrasingsField(Field):
    """Read from the rows of an FAQ; an imported value stays on the instance until the FAQ itself is
    saved.
    """

    def get_value(self, instance: FAQ) -> tuple[str, ...]:
        if self.attribute in instance.__dict__:
            return instance.__dict__[self.attribute]
        return stored_phrasings(instance)


class _InvalidRow(InvalidRow):
    @property
    def errors(self) -> list[RowError]:
        found = [
            (column, message)
            for column, messages in self.error_dict.items()
            for message in messages
        ]
        return [RowError(self.number, gettext("：").join(pair)) for pair in found]


class _Result(Result):
    """Numbers rows as Excel does, and shows the first of them only."""

    rows: list[RowResult]
    invalid_rows: list[InvalidRow]
    is_shortened = False

    def append_invalid_row(
        self, number: int, row: dict[str, Any], validation_error: ValidationError
    ) -> None:
        values = [row.get(name, "") for name in COLUMNS]
        self.invalid_rows.append(_InvalidRow(row[ROW_NUMBER], validation_error, values))

    def shorten(self) -> None:
        """Keep what the page shows. The totals stay those of the whole file."""
        self.is_shortened = max(len(self.rows), len(self.invalid_rows)) > SHOWN_ROWS
        self.rows = self.rows[:SHOWN_ROWS]
        self.invalid_rows = self.invalid_rows[:SHOWN_ROWS]


class _Diff(Diff):
    def as_html(self) -> list[str]:
        comparison = diff_match_patch()
        comparison.Diff_Timeout = LONGEST_COMPARISON_SECONDS
        cells: list[str] = []
        for before, after in zip(self.left, self.right, strict=True):
            steps = comparison.diff_main("" if self.new else before, after)
            comparison.diff_cleanupSemantic(steps)
            # The library escapes the texts.
            cells.append(mark_safe(comparison.diff_prettyHtml(steps)))
        return cells


class FAQResource(ModelResource):
    _meta: Any
    category = Field("category", "category", widget=_CategoryWidget())
    question = Field("question", "question")
    answer = Field("answer", "answer")
    phrasings = _PhrasingsField("imported_phrasings", "phrasings", widget=_PhrasingsWidget())
    enabled = Field("enabled", "enabled", widget=_EnabledWidget())

    class Meta:
        model = FAQ
        fields = tuple(COLUMNS)
        import_order = export_order = tuple(COLUMNS)
        import_id_fields = ("question",)
        skip_unchanged = True
        name = "FAQ"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The library writes into these options, and all resources would share them.
        self._meta = copy.copy(self._meta)
        self._checked: list[FAQ] = []

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return _Result

    @classmethod
    def get_diff_class(cls) -> type[Diff]:
        return _Diff

    def get_queryset(self) -> Any:
        return FAQ.objects.select_related("category").prefetch_related("phrasings").order_by("pk")

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        return csv_file.headers()

    def get_diff_headers(self) -> list[str]:
        return csv_file.headers()

    def import_data(
        self,
        dataset: tablib.Dataset,
        dry_run: bool = False,
        raise_errors: bool = False,
        use_transactions: bool | None = None,
        collect_failed_rows: bool = False,
        rollback_on_validation_errors: bool = False,
        **kwargs: Any,
    ) -> Result:
        """Check all rows without any transaction; then write them in slices, unless it is a dry
        run.

        The library would hold one transaction for the whole file, and keep every customer waiting
        for it.
        """
        self._meta.skip_html_diff = not dry_run
        result = self.import_data_inner(
            dataset, True, raise_errors, False, collect_failed_rows, **kwargs
        )
        is_fine = not result.has_errors() and not result.has_validation_errors()
        if is_fine and not dry_run:
            write_in_slices(self._checked, checked_against=self._state)
        return result

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self._checked = []
        self.fields["category"].widget.known = {}
        # Before the rows are read: an edit in between is found out.
        self._state = state_of_faqs()
        self._stored = {wording(faq.question): faq for faq in self.get_queryset()}
        note_phrasings(self._stored.values())
        questions = dataset["question"] if "phrasings" in dataset.headers else []
        self._checks = RowChecks(self._stored.values(), rewritten=set(map(wording, questions)))

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        self._checks.check(row)

    def get_instance(self, instance_loader: Any, row: Mapping[str, Any]) -> FAQ | None:
        return self._stored.get(wording(row["question"]))

    def save_instance(
        self, instance: FAQ, is_create: bool, row: Mapping[str, Any], **kwargs: Any
    ) -> None:
        self._checked.append(instance)

    def after_import_row(self, row: Any, row_result: RowResult, **kwargs: Any) -> None:
        if kwargs["row_number"] >= SHOWN_ROWS:
            self._meta.skip_html_diff = True
