"""Pages of lists that may hold a million rows: counted up to a bound, and past it said as an
estimate.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model
from django.utils.functional import cached_property

# Nobody turns more pages than this makes; who looks for older rows filters or searches.
MOST_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """`count` is what can be paged through. Counting all of a large table takes longer than showing
    a page of it.
    """

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST_COUNTED)

    @property
    def has_more(self) -> bool:
        return self._counted > MOST_COUNTED

    @cached_property
    def about(self) -> int:
        """How many rows there are, roughly; 0 where that is not known without reading them."""
        rows: Any = self.object_list
        return 0 if rows.query.where else rows_of(rows.model)

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: MOST_COUNTED + 1].count()


def rows_of(model: type[Model]) -> int:
    """MySQL keeps an estimate, to within some percent. SQLite counts a table quickly from its
    pages.
    """
    if connection.vendor != "mysql":
        return model._default_manager.count()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_rows FROM information_schema.tables WHERE table_schema = DATABASE() AND "
            "table_name = %s",
            [model._meta.db_table],
        )
        found = cursor.fetchone()
    return int(found[0] or 0)
