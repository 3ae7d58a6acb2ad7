"""What all our pages in the admin have in common: an empty list that says what to do, and no typing
lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from common.admin_cells import NOTHING
from common.paging import BoundedPaginator

# A pattern in an address is run over all that customers wrote. SQLite runs it in our process, where
# one pattern and one text that fit each other badly take days, and nothing else runs meanwhile.
PATTERN_LOOKUPS = {"regex", "iregex"}

# Each word is looked for in each field: thousands of them keep a process busy for seconds, and
# SQLite refuses them.
MAX_SEARCH = 200


@dataclass(frozen=True)
class Step:
    """The one thing to do next: what the button says, and the names of the pages it may lead to,
    the best first.

    A page may not be there (the simulator in production); then the next one is.
    """

    label: str | Promise
    pages: tuple[str, ...]

    @property
    def link(self) -> str:
        for page in self.pages:
            try:
                return reverse(page)
            except NoReverseMatch:
                continue
        return ""


class AdminList(ChangeList):
    """Knows whether it is empty by itself or because of what was asked for, and is titled by what
    it lists.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = str(self.opts.verbose_name_plural)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        return rows.prefetch_related(*self.model_admin.list_prefetch)

    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        """Django would join all that the list shows, where nothing else is said."""
        return qs if self.model_admin.list_prefetch else super().apply_select_related(qs)

    @property
    def is_narrowed(self) -> bool:
        asked = {name for name in self.get_filters_params() if name not in self.model_admin.tabs}
        return bool(self.query or asked)


class AdminPage(ModelAdmin):
    warn_unsaved_form = True
    paginator: type[Paginator[Any]] = BoundedPaginator
    # A second count of the whole table, for one number.
    show_full_result_count = False
    # Label above, help under: long labels of both languages keep their lines, on a phone as well.
    compressed_fields = False
    empty_value_display = NOTHING
    # What an empty list says, and what to do about it where rows are not added by hand.
    empty_text: str | Promise = ""
    empty_step: Step | None = None
    # Parameters that choose a part of the list rather than search in it.
    tabs: Collection[str] = ()

    # Related rows of a list, read beside it by their ids. `list_select_related` joins them, which
    # lets MySQL begin with the other table and sort all rows to show one page.
    list_prefetch: Sequence[str] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AdminList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django lets the address of a list ask anything of the rows' own fields."""
        if not PATTERN_LOOKUPS.isdisjoint(lookup.split(LOOKUP_SEP)):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, search_term[:MAX_SEARCH])


class ReadOnlyPage(AdminPage):
    """Rows that the product writes: seen by all who may view them, changed by nobody."""

    list_per_page = 30
    compressed_fields = True  # Facts are compared line by line.

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
