"""Deleting what is older than it is kept: in small transactions with pauses, so that nobody waits
for it.

There is no state beside the rows: who dies in the middle begins again and finds less to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import models, transaction

from common.database_threads import database_work

SLICE_ROWS = 200
SHORTEST_PAUSE_SECONDS = 0.1

Act = Callable[[Sequence[Any]], None]


def _always() -> bool:
    return True


class Sweep:
    """One pass over old rows. `goes_on` is asked before each slice: a process that ends need not
    wait for the rest.
    """

    def __init__(self, goes_on: Callable[[], bool] = _always) -> None:
        self._goes_on = goes_on

    def delete(self, rows: models.QuerySet[Any]) -> int:
        """With all that hangs on them. They are looked at again in the transaction: what changed
        since stays.
        """

        def delete(keys: Sequence[Any]) -> None:
            rows.filter(pk__in=keys).delete()

        return self.in_slices(rows, delete)

    def in_slices(self, rows: models.QuerySet[Any], act: Act) -> int:
        """Call `act` with the keys of a few rows at a time, each time in a transaction; returns how
        many rows.

        The keys are read outside of it: a transaction on SQLite keeps all other writers out.
        """
        done = 0
        last: Any = None
        while self._goes_on():
            began = time.monotonic()
            keys = _keys_after(rows, last)
            if not keys:
                break
            _act_on(keys, act)
            done += len(keys)
            last = keys[-1]
            pause(max(SHORTEST_PAUSE_SECONDS, time.monotonic() - began))
        return done


def pause(seconds: float) -> None:
    time.sleep(seconds)


@database_work
def _keys_after(rows: models.QuerySet[Any], last: Any) -> list[Any]:
    later = rows if last is None else rows.filter(pk__gt=last)
    return list(later.order_by("pk").values_list("pk", flat=True)[:SLICE_ROWS])


@database_work
def _act_on(keys: Sequence[Any], act: Act) -> None:
    with transaction.atomic():
        act(keys)
