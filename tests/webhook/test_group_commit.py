"""Group commit: what arrives together is written together, what is bad fails alone, and everybody
hears in time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import pytest
from django.db import IntegrityError, OperationalError

from common.deadline import still_before
from webhook import group_commit
from webhook.group_commit import CannotBeWritten, GroupCommit, NotWritten

WAIT = 10


class Writer:
    """Takes jobs as a table would. `gate` holds it up, `errors` come first, in turn."""

    def __init__(
        self, *errors: Exception, bad: Sequence[int] = (), fault: Exception | None = None
    ) -> None:
        self.errors = list(errors)
        self.bad = set(bad)
        self.fault = fault or IntegrityError("a bad row")
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, jobs: Sequence[int], latest: float) -> Sequence[int]:
        self.batches.append(list(jobs))
        self.gate.wait(WAIT)
        if self.errors:
            raise self.errors.pop(0)
        if self.bad & set(jobs):
            raise self.fault
        still_before(latest)
        return [job * 10 for job in jobs]


Start = Callable[[Writer], GroupCommit[int, int]]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "RETRY_PAUSE", 0.01)
    monkeypatch.setattr(group_commit.connection, "close", lambda: None)


@pytest.fixture
def start() -> Iterator[Start]:
    writers: list[Writer] = []

    def begin(writer: Writer) -> GroupCommit[int, int]:
        writers.append(writer)
        group: GroupCommit[int, int] = GroupCommit("test", writer)
        group.start()
        return group

    yield begin
    for writer in writers:
        writer.gate.set()


def in_a_while() -> float:
    return time.monotonic() + WAIT


def hold_up(writer: Writer, group: GroupCommit[int, int]) -> Future[int]:
    """The writer is busy with one job; what comes now is its next batch."""
    writer.gate.clear()
    first = group.submit(0, in_a_while())
    while not writer.batches:
        time.sleep(0.001)
    return first


def test_it_answers_each_job_with_its_own_result(start: Start) -> None:
    group = start(Writer())
    futures = [group.submit(job, in_a_while()) for job in range(5)]
    assert [future.result(WAIT) for future in futures] == [0, 10, 20, 30, 40]


def test_it_writes_together_what_came_while_it_was_busy(start: Start) -> None:
    writer = Writer()
    group = start(writer)
    hold_up(writer, group)
    futures = [group.submit(job, in_a_while()) for job in (1, 2, 3)]
    writer.gate.set()
    assert [future.result(WAIT) for future in futures] == [10, 20, 30]
    assert writer.batches == [[0], [1, 2, 3]]


@pytest.mark.parametrize(
    "fault",
    [
        IntegrityError("a bad row"),
        # MySQL's driver knows no better name for these.
        OperationalError(1366, "Incorrect string value"),
        OperationalError(1406, "Data too long"),
        OperationalError(1153, "Got a packet bigger than 'max_allowed_packet' bytes"),
        OperationalError(3988, "Conversion from collation"),
        OperationalError(4025, "CONSTRAINT failed"),
    ],
    ids=str,
)
def test_it_lets_only_the_bad_one_among_forty_fail(start: Start, fault: Exception) -> None:
    writer = Writer(bad=[17], fault=fault)
    group = start(writer)
    hold_up(writer, group)
    futures = {job: group.submit(job, in_a_while()) for job in range(1, 41)}
    writer.gate.set()
    for job, future in futures.items():
        if job == 17:
            with pytest.raises(CannotBeWritten):
                future.result(WAIT)
        else:
            assert future.result(WAIT) == job * 10


def test_an_error_that_is_none_of_the_databases_fails_alone_too(start: Start) -> None:
    group = start(Writer(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")))
    with pytest.raises(CannotBeWritten):
        group.submit(1, in_a_while()).result(WAIT)
    assert group.submit(2, in_a_while()).result(WAIT) == 20


def test_it_tries_again_while_the_database_is_away(start: Start) -> None:
    writer = Writer(*[OperationalError(2002, "no connection")] * 3)
    assert start(writer).submit(1, in_a_while()).result(WAIT) == 10
    assert writer.batches == [[1]] * 4


@pytest.mark.parametrize(
    "number", [1021, 1040, 1053, 1205, 1213, 1290, 1317, 1792, 1927, 2002, 2003, 2006, 2013]
)
def test_it_tries_again_what_is_no_fault_of_a_row(start: Start, number: int) -> None:
    writer = Writer(OperationalError(number, "not now"))
    assert start(writer).submit(1, in_a_while()).result(WAIT) == 10


def test_it_tries_the_only_bad_one_once(start: Start) -> None:
    writer = Writer(bad=[1], fault=OperationalError(1366, "Incorrect string value"))
    with pytest.raises(CannotBeWritten, match="Incorrect string value"):
        start(writer).submit(1, in_a_while()).result(WAIT)
    assert writer.batches == [[1]]


def test_it_commits_nothing_after_its_deadline_and_the_rest_of_its_batch_all_the_same(
    start: Start,
) -> None:
    writer = Writer()
    group = start(writer)
    hold_up(writer, group)
    late, in_time = group.submit(1, time.monotonic() + 0.1), group.submit(2, in_a_while())
    writer.gate.set()
    writer.gate = threading.Event()
    while len(writer.batches) < 2:
        time.sleep(0.001)
    time.sleep(0.1)
    writer.gate.set()
    with pytest.raises(NotWritten, match="too long"):
        late.result(WAIT)
    assert in_time.result(WAIT) == 20
    assert writer.batches[1:] == [[1, 2], [2]]


def test_it_gives_a_job_up_at_its_deadline(start: Start) -> None:
    writer = Writer(*[OperationalError(2002, "no connection")] * 10_000)
    future = start(writer).submit(1, time.monotonic() + 0.05)
    with pytest.raises(NotWritten, match="no connection"):
        future.result(WAIT)


def test_it_goes_on_with_those_who_still_have_time(start: Start) -> None:
    writer = Writer()
    group = start(writer)
    hold_up(writer, group)
    late = group.submit(1, time.monotonic() - 1)
    in_time = group.submit(2, in_a_while())
    writer.gate.set()
    assert in_time.result(WAIT) == 20
    with pytest.raises(NotWritten):
        late.result(WAIT)
    assert writer.batches == [[0], [2]]


def test_it_refuses_at_once_what_it_could_not_write_in_time(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_QUEUED", 1)
    writer = Writer()
    group = start(writer)
    hold_up(writer, group)
    group.submit(1, in_a_while())
    with pytest.raises(NotWritten, match="too many"):
        group.submit(2, in_a_while()).result(0)


def test_a_caller_that_has_gone_harms_nobody(start: Start) -> None:
    writer = Writer()
    group = start(writer)
    busy = hold_up(writer, group)
    gone, stays = group.submit(1, in_a_while()), group.submit(2, in_a_while())
    gone.cancel()
    busy.cancel()
    writer.gate.set()
    assert stays.result(WAIT) == 20
    assert writer.batches == [[0], [2]]


def test_it_writes_no_more_at_once_than_a_batch_holds(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_BATCH", 2)
    writer = Writer()
    group = start(writer)
    hold_up(writer, group)
    futures = [group.submit(job, in_a_while()) for job in (1, 2, 3)]
    writer.gate.set()
    assert [future.result(WAIT) for future in futures] == [10, 20, 30]
    assert writer.batches == [[0], [1, 2], [3]]
