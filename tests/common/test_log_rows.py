"""The thread that writes log rows outlives every row, and writes the good ones beside a bad one."""

from __future__ import annotations

import queue
from collections.abc import Callable

import pytest
from django.db import close_old_connections
from django.db.models import Model

from common import background, log_rows
from llm.models import ModelCall, Outcome
from tests.services.process import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A process whose rows are written by a thread."""
    waiting: queue.Queue[Model] = queue.Queue()
    monkeypatch.setattr(log_rows, "_waiting", waiting)
    monkeypatch.setattr(log_rows, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(background, "PAUSE_AFTER_ERROR", 0.01)
    # Not by `start`: other tests of this process have replaced it.
    background.repeat_for_ever("log-rows", lambda: log_rows._write_waiting(waiting))

    def keep(*errors: str) -> None:
        log_rows.keep([ModelCall(model="m", outcome=Outcome.FAILED, error=one) for one in errors])

    return keep


def errors_kept() -> list[str]:
    close_old_connections()
    return list(ModelCall.objects.order_by("pk").values_list("error", flat=True))


def test_half_an_emoji_costs_neither_its_row_nor_the_next(write: Callable[..., None]) -> None:
    write("before", "half \ud83d an emoji", "beside")
    wait_until(lambda: len(errors_kept()) == 3, what="the row and its neighbours are written")
    write("after")
    wait_until(lambda: len(errors_kept()) == 4, what="a later row is written")

    assert errors_kept() == ["before", "half ? an emoji", "beside", "after"]


def test_a_value_that_no_column_takes_costs_only_its_own_row(write: Callable[..., None]) -> None:
    log_rows.keep([ModelCall(model="m", outcome=Outcome.OK, total_ms="no number")])
    write("after")

    wait_until(lambda: errors_kept() == ["after"], what="a later row is written")


def test_an_error_of_the_writing_itself_does_not_end_the_thread(
    write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []
    real = log_rows._write_when_possible

    def fail_once(rows: list[ModelCall]) -> None:
        if not failures:
            failures.append(len(rows))
            raise MemoryError
        real(rows)

    monkeypatch.setattr(log_rows, "_write_when_possible", fail_once)
    write("lost")
    wait_until(lambda: failures, what="the thread met an error")
    write("after")

    wait_until(lambda: errors_kept() == ["after"], what="a later row is written")
