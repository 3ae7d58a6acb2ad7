"""One process's copy of rows: who reads them, when, and what serves meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, transaction

from common import database_threads, fresh
from common.fresh import Fresh, forget_all
from common.redis import redis
from tests.clock import Clock
from tests.knowledge.builders import absent_redis

KEY = "test:version"
EVERY = 5.0


class Rows:
    """Stands for a table: what it holds, how often it was read, and whether its database is
    away.
    """

    def __init__(self) -> None:
        self.now = "first"
        self.reads = 0
        self.is_away = False

    def __call__(self) -> str:
        self.reads += 1
        if self.is_away:
            raise OperationalError("gone")
        return self.now


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def copy(rows: Rows, clock: Clock) -> Fresh[str]:
    return Fresh(rows, of="rows", every=EVERY)


@pytest.fixture
def versioned(rows: Rows, clock: Clock) -> Fresh[str]:
    return Fresh(rows, of="rows", every=EVERY, version_key=KEY)


def test_it_reads_once_until_its_time_is_over(copy: Fresh[str], rows: Rows, clock: Clock) -> None:
    assert [copy.get() for _ in range(3)] == ["first"] * 3
    rows.now = "second"
    clock.now += EVERY - 0.1
    assert (copy.get(), copy.is_fresh) == ("first", True)
    clock.now += 0.1
    assert not copy.is_fresh
    assert copy.get() == "second"
    assert rows.reads == 2


def test_it_knows_nothing_before_its_first_look(copy: Fresh[str]) -> None:
    assert (copy.known, copy.is_fresh) == (None, False)
    copy.get()
    assert (copy.known, copy.is_fresh) == ("first", True)


@pytest.mark.django_db(transaction=True)
class TestWhileTheDatabaseIsAway:
    def test_the_last_copy_serves(self, copy: Fresh[str], rows: Rows, clock: Clock) -> None:
        copy.get()
        rows.is_away = True
        clock.now += EVERY
        assert copy.get() == "first"

    def test_it_is_asked_again_once_a_time(
        self, copy: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        copy.get()
        rows.is_away = True
        clock.now += EVERY
        reads = rows.reads
        for _ in range(3):
            copy.get()
        assert rows.reads == reads + 1

    def test_the_copy_from_before_an_edit_serves_until_it_is_back(
        self, versioned: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        versioned.get()
        rows.now, rows.is_away = "second", True
        versioned.changed()
        assert (versioned.get(), versioned.known) == ("first", "first")
        rows.is_away = False
        clock.now += EVERY
        assert versioned.get() == "second"

    def test_the_error_is_told_where_there_is_no_copy(self, copy: Fresh[str], rows: Rows) -> None:
        rows.is_away = True
        with pytest.raises(OperationalError):
            copy.get()


@pytest.mark.django_db(transaction=True)
class TestWithAVersion:
    def test_the_rows_are_read_when_it_has_changed(
        self, versioned: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        versioned.get()
        rows.now = "second"
        clock.now += EVERY
        assert versioned.get() == "first"
        redis().set(KEY, "another process wrote this")
        clock.now += EVERY
        assert versioned.get() == "second"

    def test_an_edit_is_seen_by_other_processes(
        self, versioned: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        elsewhere = Fresh(rows, of="rows", every=EVERY, version_key=KEY)
        elsewhere.get()
        rows.now = "second"
        versioned.changed()
        clock.now += EVERY
        assert elsewhere.get() == "second"

    def test_an_edit_is_announced_after_its_transaction(
        self, versioned: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        elsewhere = Fresh(rows, of="rows", every=EVERY, version_key=KEY)
        elsewhere.get()
        with transaction.atomic():
            versioned.changed()
            before = redis().get(KEY)
        assert redis().get(KEY) != before

    def test_an_emptied_redis_does_not_hide_an_edit(
        self, versioned: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        versioned.get()
        rows.now = "second"
        redis().flushdb()
        clock.now += EVERY
        assert versioned.get() == "second"

    def test_an_edit_that_was_never_announced_is_seen_in_the_end(
        self, versioned: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        versioned.get()
        rows.now = "second"
        clock.now += fresh.RELOAD_SECONDS
        assert versioned.get() == "second"

    def test_rows_read_inside_a_transaction_are_read_again(
        self, versioned: Fresh[str], rows: Rows, clock: Clock
    ) -> None:
        with transaction.atomic():
            versioned.get()
        clock.now += EVERY
        versioned.get()
        clock.now += EVERY
        versioned.get()
        assert rows.reads == 2

    def test_without_redis_the_rows_are_read_again_all_the_same(
        self,
        versioned: Fresh[str],
        rows: Rows,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        versioned.get()
        monkeypatch.setattr(fresh, "redis", absent_redis)
        rows.now = "second"
        clock.now += EVERY
        assert versioned.get() == "second"


class TestThreads:
    def test_one_looks_while_the_others_go_on(
        self, copy: Fresh[str], rows: Rows, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy.get()
        looking, may_end = threading.Event(), threading.Event()

        def slow() -> str:
            looking.set()
            assert may_end.wait(10)
            return "second"

        monkeypatch.setattr(copy, "load", slow)
        clock.now += EVERY
        with ThreadPoolExecutor(1) as pool:
            looker = pool.submit(copy.get)
            assert looking.wait(10)
            assert copy.get() == "first"
            may_end.set()
            assert looker.result(10) == "second"
        assert copy.get() == "second"

    def test_all_wait_for_the_first_one(self, copy: Fresh[str], rows: Rows) -> None:
        gate = threading.Barrier(8)

        def ask(_: int) -> str:
            gate.wait(10)
            return copy.get()

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(8))) == ["first"] * 8
        assert rows.reads == 1

    def test_what_was_read_before_an_edit_is_not_kept(
        self, copy: Fresh[str], rows: Rows, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def edited_meanwhile() -> str:
            copy.forget()
            return "first"

        monkeypatch.setattr(copy, "load", edited_meanwhile)
        copy.get()
        monkeypatch.setattr(copy, "load", rows)
        rows.now = "second"
        assert copy.get() == "second"

    def test_first_looks_from_everywhere_do_not_starve_a_small_pool(
        self, copy: Fresh[str], rows: Rows, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All database threads ask, and so do others, before anybody has read."""
        gate = threading.Barrier(8)

        def ask(_: int) -> str:
            gate.wait(10)
            return copy.get()

        database = ThreadPoolExecutor(2, initializer=database_threads._mark_thread)
        monkeypatch.setattr(database_threads, "_pool", database)
        with database, ThreadPoolExecutor(6) as others:
            asked = [
                *(database.submit(ask, number) for number in range(2)),
                *(others.submit(ask, number) for number in range(6)),
            ]
            assert [one.result(10) for one in asked] == ["first"] * 8
        assert rows.reads == 1


def test_one_call_forgets_every_copy(copy: Fresh[str], versioned: Fresh[str], rows: Rows) -> None:
    copies = (copy, versioned)
    for one in copies:
        one.get()
    forget_all()
    assert [one.known for one in copies] == [None, None]


def test_a_copy_goes_with_its_owner(make: Callable[[], Fresh[str]]) -> None:
    before = len(fresh._all)
    one = make()
    assert len(fresh._all) == before + 1
    del one
    assert len(fresh._all) == before


@pytest.fixture
def make(rows: Rows) -> Callable[[], Fresh[str]]:
    return lambda: Fresh(rows, of="rows", every=EVERY)
