"""A transaction that the database chose to end a deadlock runs again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, OperationalError, transaction

from common.database_threads import DEADLOCK_TRIES, MYSQL_DEADLOCK, database_work


def failing(*errors: Exception) -> tuple[Callable[[], str], list[int]]:
    """A story that fails with each of these before it succeeds, and how often it was told."""
    left, told = list(errors), []

    @database_work
    def story() -> str:
        told.append(1)
        if left:
            raise left.pop(0)
        return "done"

    return story, told


def deadlock() -> OperationalError:
    return OperationalError(
        MYSQL_DEADLOCK, "Deadlock found when trying to get lock; try restarting transaction"
    )


@pytest.mark.django_db(transaction=True)
def test_it_runs_again_until_it_is_through() -> None:
    story, told = failing(deadlock(), deadlock())
    assert story() == "done"
    assert len(told) == 3


@pytest.mark.django_db(transaction=True)
def test_it_gives_up_after_some_tries() -> None:
    story, told = failing(*[deadlock() for _ in range(9)])
    with pytest.raises(OperationalError):
        story()
    assert len(told) == DEADLOCK_TRIES + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error", [OperationalError(2006, "gone away"), IntegrityError(1062, "Duplicate entry")]
)
def test_it_does_not_repeat_what_failed_for_another_reason(error: Exception) -> None:
    story, told = failing(error)
    with pytest.raises(type(error)):
        story()
    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
def test_it_leaves_it_to_the_outermost_transaction() -> None:
    """The whole transaction is gone: its part alone must not run again."""
    story, told = failing(deadlock())
    with pytest.raises(OperationalError), transaction.atomic():
        story()
    assert len(told) == 1
