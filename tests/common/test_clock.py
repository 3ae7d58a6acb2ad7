"""One clock for all processes: the database's, measured against a clock that nobody sets."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from common import clock

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Host:
    """The clocks of this machine: the one of the day, and the one that only ticks."""

    def __init__(self) -> None:
        self.time_of_day = NOON.timestamp()
        self.ticks = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.time_of_day += seconds
        self.ticks += seconds


class DatabaseClock:
    """Ahead of the host's, with answers that take `takes` seconds each, in turn."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.ahead = 0.0
        self.takes: list[float] = []
        self.is_away = False

    def ask(self) -> tuple[float, float]:
        """The clock is read at the very end of the answer: the worst case."""
        if self.is_away:
            raise OperationalError(2002, "no connection")
        took = self.takes.pop(0) if self.takes else 0.001
        asked = self.host.ticks
        self.host.pass_by(took)
        return took, self.host.time_of_day + self.ahead - (asked + took / 2)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(clock, "_ticks", lambda: host.ticks)
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: host.time_of_day))
    return host


@pytest.fixture
def database(host: Host, monkeypatch: pytest.MonkeyPatch) -> DatabaseClock:
    database = DatabaseClock(host)
    monkeypatch.setattr(clock, "_ask", database.ask)
    monkeypatch.setattr(
        clock,
        "connection",
        SimpleNamespace(ensure_connection=lambda: None, close=lambda: None, vendor="mysql"),
    )
    monkeypatch.setattr(clock, "_database_time_at_zero", None)
    return database


def from_noon(moment: datetime) -> float:
    return (moment - NOON).total_seconds()


def test_without_a_measure_it_is_the_hosts_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_database_time_at_zero", None)
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.skew() == 0


@pytest.mark.parametrize("ahead", [40.0, -40.0])
def test_a_host_with_a_wrong_clock_goes_by_the_databases(
    host: Host, database: DatabaseClock, ahead: float
) -> None:
    database.ahead = -ahead
    clock.measure()
    host.pass_by(10)

    assert from_noon(clock.now()) == pytest.approx(10 - ahead, abs=0.01)
    assert clock.skew() == pytest.approx(ahead, abs=0.01)
    assert clock.notable_skew() == ahead


def test_a_hosts_clock_that_is_stepped_moves_nothing(host: Host, database: DatabaseClock) -> None:
    clock.measure()
    host.time_of_day += 3600
    host.pass_by(1)

    assert from_noon(clock.now()) == pytest.approx(1, abs=0.01)
    assert clock.notable_skew() == 3600


def test_a_database_that_is_away_leaves_the_last_measure(
    host: Host, database: DatabaseClock
) -> None:
    database.ahead = 40
    clock.measure()
    database.is_away = True
    host.pass_by(600)
    clock._measure_and_close()

    assert from_noon(clock.now()) == pytest.approx(640, abs=0.01)


def test_the_quickest_answer_is_believed(host: Host, database: DatabaseClock) -> None:
    database.takes = [0.4, 0.002, 0.3]
    clock.measure()
    assert from_noon(clock.now()) == pytest.approx(from_noon_of(host), abs=0.002)


def from_noon_of(host: Host) -> float:
    return host.time_of_day - NOON.timestamp()


def test_slow_answers_do_not_replace_a_good_measure(host: Host, database: DatabaseClock) -> None:
    clock.measure()
    database.takes = [6.0] * clock.QUESTIONS
    clock.measure()
    assert from_noon(clock.now()) == pytest.approx(from_noon_of(host), abs=0.01)


def test_a_first_measure_is_better_than_none_however_slow(
    host: Host, database: DatabaseClock
) -> None:
    database.ahead = 40
    database.takes = [2.0] * clock.QUESTIONS
    clock.measure()
    assert from_noon(clock.now()) == pytest.approx(from_noon_of(host) + 40, abs=1)


def test_a_small_difference_is_not_worth_a_word(host: Host, database: DatabaseClock) -> None:
    database.ahead = clock.NOTABLE_SKEW - 0.1
    clock.measure()
    assert clock.notable_skew() is None


def test_a_wrong_clock_is_logged_once(
    host: Host, database: DatabaseClock, caplog: pytest.LogCaptureFixture
) -> None:
    database.ahead = -40
    clock.measure()
    clock.measure()
    assert caplog.text.count("this host's clock is +40.0 s from the database's") == 1


@pytest.mark.django_db
def test_sqlite_has_no_clock_of_its_own_and_mysql_tells_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "_database_time_at_zero", None)
    if clock.connection.vendor == "mysql":
        clock.measure()
        assert clock._database_time_at_zero is not None
    else:
        clock.start()
        assert not clock._is_started
    assert abs(clock.now() - datetime.fromtimestamp(time.time(), UTC)) < timedelta(seconds=5)


# Where leases, due times, windows and pushes are written or compared.
BY_THIS_CLOCK = ("conversations/turns", "conversations/replies", "conversations/window", "webhook")


@pytest.mark.parametrize("folder", BY_THIS_CLOCK)
def test_nobody_there_asks_the_host(folder: str) -> None:
    asking = re.compile(r"timezone\.now\(|datetime\.now\(|time\.time\(")
    found = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if asking.search(line)
    }
    assert found <= FOR_READERS


# What others read on a clock of theirs: the time within a reply to WeChat, a worker's heart-beat.
FOR_READERS = {
    "webhook/opening.py: incoming, now = self.incoming, int(time.time())",
    'webhook/worker.py: redis().set(f"heartbeat:{queue}", int(time.time()), ex=HEARTBEAT_SECONDS)',
}
