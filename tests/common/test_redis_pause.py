"""A Redis that failed is left alone for a moment by the whole process."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from common import leases as leases_module
from common.leases import Leases
from common.redis import PAUSE_SECONDS, pause, paused, resume
from llm import breaker as breaker_module
from llm.breaker import Breaker
from tests.clock import Clock
from webhook import script


def fail() -> None:
    pause(RedisConnectionError("away"), meanwhile="nothing is counted")


def test_it_lasts_a_second(clock: Clock) -> None:
    assert not paused()
    fail()
    clock.now += PAUSE_SECONDS - 0.1
    assert paused()
    clock.now += 0.1
    assert not paused()


def test_the_log_tells_what_is_done_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    fail()
    assert caplog.messages == ["Redis is away, nothing is counted: away"]


def test_what_one_part_met_spares_the_others(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def away() -> None:
        tried.append("")
        raise RedisConnectionError("away")

    for module in (leases_module, breaker_module, script):
        monkeypatch.setattr(module, "redis", away)
    assert script.run("return 1", [], [], without="limit") is None
    Breaker().check(1)
    Leases().acquire("x", 1)
    assert len(tried) == 1


def test_it_can_be_ended(clock: Clock) -> None:
    fail()
    resume()
    assert not paused()
