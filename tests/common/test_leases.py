from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from common import leases as leases_module
from common.leases import Leases
from common.redis import redis, resume

ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import os, sys, time
import django
django.setup()
from common.leases import Leases
leases = Leases(seconds=float(sys.argv[2]))
places, tries = int(sys.argv[3]), int(sys.argv[4])
print([leases.acquire(sys.argv[1], places) is not None for _ in range(tries)], flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Another process that takes leases and keeps them until it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *, seconds: float, limit: int, count: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, name, str(seconds), str(limit), str(count)]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def make() -> Iterator[Callable[..., Leases]]:
    """Leases as a process has them; given up at the end, or their thread would renew them in the
    next test's Redis.
    """
    made: list[Leases] = []

    def build(**options: float) -> Leases:
        made.append(Leases(**options))
        return made[-1]

    yield build
    for leases in made:
        with leases._lock:
            leases._held.clear()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def wait_for(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.02)


def test_it_gives_no_more_leases_than_the_limit(make: Callable[..., Leases]) -> None:
    leases = make()
    taken = [leases.acquire("x", 2) for _ in range(3)]
    assert [lease is not None for lease in taken] == [True, True, False]
    assert taken[0] != taken[1]


def test_it_gives_a_released_one_to_the_next(make: Callable[..., Leases]) -> None:
    leases = make()
    lease = leases.acquire("x", 1)
    assert lease
    leases.release("x", lease)
    assert leases.acquire("x", 1)


def test_it_counts_each_name_apart(make: Callable[..., Leases]) -> None:
    leases = make()
    assert leases.acquire("x", 1)
    assert leases.acquire("y", 1)


def test_it_counts_over_all_processes(
    make: Callable[..., Leases], holder: Callable[..., subprocess.Popen[str]]
) -> None:
    other = holder("shared", seconds=60, limit=3, count=2)
    assert said(other) == "[True, True]"
    leases = make(seconds=60)
    assert leases.acquire("shared", 3)
    assert leases.acquire("shared", 3) is None


def test_it_gets_the_leases_of_a_killed_process_back(
    make: Callable[..., Leases], holder: Callable[..., subprocess.Popen[str]]
) -> None:
    other = holder("x", seconds=1, limit=2, count=2)
    assert said(other) == "[True, True]"
    leases = make(seconds=1)
    assert leases.acquire("x", 2) is None
    other.kill()
    wait_for(lambda: leases.acquire("x", 2))


def test_it_keeps_a_lease_longer_than_its_seconds_while_the_process_lives(
    make: Callable[..., Leases],
) -> None:
    leases = make(seconds=0.4)
    assert leases.acquire("x", 1)
    time.sleep(1.2)
    assert leases.acquire("x", 1) is None


def test_it_enters_leases_again_that_redis_has_lost(make: Callable[..., Leases]) -> None:
    leases = make(seconds=0.4)
    assert leases.acquire("x", 1)
    redis().flushdb()
    wait_for(lambda: redis().zcard("x"))
    assert leases.acquire("x", 1) is None


def test_it_does_not_bring_a_lease_to_life_that_was_given_back_during_a_renewal(
    make: Callable[..., Leases],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leases = make()
    lease = leases.acquire("x", 1)
    assert lease
    client = redis()
    real_eval = client.eval

    class GivesBackFirst:
        def eval(self, *args: object) -> None:
            leases.release("x", lease)
            real_eval(*args)

        def zrem(self, *args: object) -> None:
            client.zrem(*args)

    monkeypatch.setattr(leases_module, "redis", GivesBackFirst)
    leases.renew()
    assert client.zcard("x") == 0


def test_it_stops_its_thread_when_nothing_is_in_hand(make: Callable[..., Leases]) -> None:
    leases = make(seconds=0.2)
    lease = leases.acquire("x", 1)
    assert lease
    thread = leases._renewer
    assert thread
    leases.release("x", lease)
    thread.join()
    assert leases.acquire("x", 1)
    assert leases._renewer


def test_it_leaves_nothing_in_redis_when_all_is_given_back(make: Callable[..., Leases]) -> None:
    leases = make()
    for lease in [leases.acquire("x", 5) for _ in range(5)]:
        assert lease
        leases.release("x", lease)
    assert redis().keys("*") == []


class Away:
    """Redis that answers nothing, and counts how often it was tried."""

    def __init__(self) -> None:
        self.tried = 0

    def __call__(self) -> Away:
        self.tried += 1
        raise RedisConnectionError("away")


def test_it_bounds_this_process_when_redis_is_away(
    make: Callable[..., Leases], monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away()
    monkeypatch.setattr(leases_module, "redis", away)
    leases = make()
    first = leases.acquire("x", 2)
    assert first
    assert leases.acquire("x", 2)
    assert leases.acquire("x", 2) is None
    leases.release("x", first)
    assert leases.acquire("x", 2)
    assert away.tried == 1  # It is left alone for a moment: each try could cost its time limit.


def test_it_enters_what_it_took_while_redis_was_away(
    make: Callable[..., Leases], monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = make(seconds=0.4)
    with monkeypatch.context() as patch:
        patch.setattr(leases_module, "redis", Away())
        assert leases.acquire("x", 1)
    wait_for(lambda: redis().zcard("x"))
    resume()  # As in another process, which has met no error.
    assert make().acquire("x", 1) is None
