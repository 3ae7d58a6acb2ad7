"""Filters of the admin's lists that match real questions, each with a short link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SPANS: dict[str, tuple[str | Promise, timedelta | None]] = {
    "hour": (_("一小时内"), timedelta(hours=1)),
    "today": (_("今天"), None),
    "day": (_("24 小时内"), timedelta(days=1)),
    "week": (_("7 天内"), timedelta(days=7)),
    "month": (_("30 天内"), timedelta(days=30)),
}


def beginning_of(span: str, now: datetime) -> datetime:
    """When a span of `SPANS` begins; today begins at midnight in Beijing."""
    length = SPANS[span][1]
    if length is None:
        return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return now - length


class TimeFilter(admin.FieldListFilter):
    """`?created_at=today`: how long ago, in the words of a person who looks for something."""

    def __init__(
        self,
        field: Field[Any, Any],
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: admin.ModelAdmin[Any],
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        chosen = self.used_parameters.get(field_path)
        self.chosen = chosen[-1] if isinstance(chosen, list) else chosen
        # By these names the theme keeps the choice when another filter of the list is submitted.
        self.lookup_kwarg, self.lookup_val = field_path, [self.chosen]

    def expected_parameters(self) -> list[str | None]:
        return [self.field_path]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.chosen not in SPANS:
            return queryset
        return queryset.filter(
            **{f"{self.field_path}__gte": beginning_of(self.chosen, timezone.now())}
        )

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        without = changelist.get_query_string(remove=[self.field_path])
        yield {"selected": self.chosen not in SPANS, "query_string": without, "display": _("全部")}
        for name, (words, _length) in SPANS.items():
            link = changelist.get_query_string({self.field_path: name})
            yield {"selected": self.chosen == name, "query_string": link, "display": words}


class WordsFilter(admin.SimpleListFilter):
    """For a column of codes without choices of its own: each code by its word."""

    words: Mapping[str, str | Promise]
    column: str

    @property
    def lookup_kwarg(self) -> str | None:
        """By these names the theme keeps the choice when another filter of
        the list is submitted.
        """
        return self.parameter_name

    @property
    def lookup_val(self) -> list[str | None]:
        return [self.value()]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.words.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(**{self.column: value})
