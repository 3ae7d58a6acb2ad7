"""What was acknowledged is on the disk: on SQLite the intake's connection waits for it, and no
other needs to.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from django.db import connection

from webhook.door import Door
from webhook.group_commit import settle_here

pytestmark = pytest.mark.django_db(transaction=True)

NORMAL, FULL = 1, 2


def setting(*_arguments: object) -> int:
    """How far a commit of this thread's connection goes. MariaDB says it of all connections."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
        else:
            cursor.execute("SELECT 2")
        return int(cursor.fetchone()[0])


def look(jobs: Sequence[str], latest: float) -> list[int]:
    found = setting()
    if "and close" in jobs:
        connection.close()
    return [found] * len(jobs)


def test_the_intakes_connection_waits_for_the_disk_also_after_it_broke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Door()._store
    monkeypatch.setattr(store, "_write", look)
    monkeypatch.setattr(store, "_settle", settle_here)
    store.start()
    soon = time.monotonic() + 10

    assert store.submit("and close", soon).result(10) == FULL
    assert store.submit("again, and close", soon).result(10) == FULL
    assert store.submit("and close", soon).result(10) == FULL


def test_other_connections_do_not() -> None:
    assert setting() == (NORMAL if connection.vendor == "sqlite" else FULL)
