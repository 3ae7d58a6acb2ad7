"""FAQs from a CSV file and back: one way for the commands, the admin and the demo shop.

All or nothing: one wrong row, and no row is written. A row whose question is known (as matching reads it, so without
regard to punctuation or width) updates that FAQ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import InvalidRow, Result
from import_export.widgets import Widget

from knowledge import csv_file
from knowledge.csv_file import COLUMNS, ROW_NUMBER, RowError
from knowledge.models import FAQ, Category, Phrasing
from knowledge.row_checks import YES, RowChecks, split_phrasings
from knowledge.terms import wording
from knowledge.versions import knowledge_changed


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
    """Write the FAQs of a CSV text. Raises `FileRefused` or `ImportRefused`, and then nothing was written."""
    result = FAQResource().import_data(
        csv_file.read(text), raise_errors=False, use_transactions=True, rollback_on_validation_errors=True
    )
    for problem in (*result.base_errors, *(error for _row, errors in result.row_errors() for error in errors)):
        raise problem.error
    if result.invalid_rows:
        raise ImportRefused([error for row in result.invalid_rows for error in row.errors])
    return ImportResult(result.totals["new"], result.totals["update"], result.totals["skip"])


def export_text() -> str:
    """All FAQs as CSV text with English headers, in the order they were written."""
    with translation.override("en"):
        return csv_file.write(FAQResource().export())


class _CategoryWidget(Widget):
    def clean(self, value: str, row: Mapping[str, Any] | None = None, **kwargs: Any) -> Category | None:
        return Category.objects.get_or_create(name=value)[0] if value else None

    def render(self, value: Category | None, obj: Any = None, **kwargs: Any) -> str:
        return value.name if value else ""


class _EnabledWidget(Widget):
    def clean(self, value: str, row: Mapping[str, Any] | None = None, **kwargs: Any) -> bool:
        return value.lower() in YES

    def render(self, value: bool | None, obj: Any = None, **kwargs: Any) -> str:
        return "1" if value else "0"


class _PhrasingsWidget(Widget):
    def clean(self, value: str, row: Mapping[str, Any] | None = None, **kwargs: Any) -> tuple[str, ...]:
        question = wording(row["question"]) if row else ""
        return tuple(text for text in split_phrasings(value) if wording(text) != question)

    def render(self, value: tuple[str, ...] | None, obj: Any = None, **kwargs: Any) -> str:
        return "|".join(value or ())


class _PhrasingsField(Field):
    """Read from the rows of an FAQ; an imported value stays on the instance until the FAQ itself is saved."""

    def get_value(self, instance: FAQ) -> tuple[str, ...]:
        if self.attribute in instance.__dict__:
            return instance.__dict__[self.attribute]
        return tuple(phrasing.text for phrasing in instance.phrasings.all()) if instance.pk else ()


class _InvalidRow(InvalidRow):
    @property
    def errors(self) -> list[RowError]:
        found = [(column, message) for column, messages in self.error_dict.items() for message in messages]
        return [RowError(self.number, gettext("：").join(pair)) for pair in found]


class _Result(Result):
    """Numbers rows as Excel does."""

    def append_invalid_row(self, number: int, row: dict[str, Any], validation_error: ValidationError) -> None:
        values = [row.get(name, "") for name in COLUMNS]
        self.invalid_rows.append(_InvalidRow(row[ROW_NUMBER], validation_error, values))


class FAQResource(ModelResource):
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
        use_transactions = True
        name = "FAQ"

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return _Result

    def get_queryset(self) -> Any:
        return FAQ.objects.select_related("category").prefetch_related("phrasings").order_by("pk")

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        return csv_file.headers()

    def get_diff_headers(self) -> list[str]:
        return csv_file.headers()

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self._stored = {wording(faq.question): faq for faq in self.get_queryset()}
        questions = dataset["question"] if "phrasings" in dataset.headers else []
        self._checks = RowChecks(self._stored.values(), rewritten=set(map(wording, questions)))

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        self._checks.check(row)

    def get_instance(self, instance_loader: Any, row: Mapping[str, Any]) -> FAQ | None:
        return self._stored.get(wording(row["question"]))

    def after_save_instance(self, instance: FAQ, row: Mapping[str, Any], **kwargs: Any) -> None:
        texts = instance.__dict__.get("imported_phrasings")
        stored = tuple(instance.phrasings.order_by("pk").values_list("text", flat=True))
        if texts is not None and texts != stored:
            instance.phrasings.all().delete()
            Phrasing.objects.bulk_create(Phrasing(faq=instance, text=text) for text in texts)

    def after_import(self, dataset: tablib.Dataset, result: Result, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        knowledge_changed()
