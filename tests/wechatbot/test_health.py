"""The probes beside Django, and what readiness looks at."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from common import clock
from common.redis import redis
from tests.knowledge.builders import absent_redis
from webhook import worker
from wechatbot import health
from wechatbot.health import HEARTBEATS
from wechatbot.web.probes import Probes


def nothing() -> list[str]:
    return []


class SlowLook:
    """Finds nothing missing, when it is let end; counts how often it began."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = threading.Event()

    def __call__(self) -> list[str]:
        self.begun += 1
        self.may_end.wait()
        return []


async def ask(probes: Probes, path: str, method: str = "GET") -> tuple[int, Any]:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await probes({"type": "http", "path": path, "method": method}, receive, send)
    status, body = sent[0]["status"], sent[1]["body"]
    return status, None if status == 405 else json.loads(body or "null")


def test_it_is_alive_whatever_is_missing() -> None:
    def stuck() -> list[str]:
        raise AssertionError("`/healthz` looks at nothing")

    assert asyncio.run(ask(Probes(stuck), "/healthz")) == (200, {"status": "alive"})


def test_it_is_ready_when_nothing_is_missing() -> None:
    assert asyncio.run(ask(Probes(nothing), "/readyz")) == (200, {"status": "ready", "missing": []})


def test_it_names_what_is_missing() -> None:
    answer = asyncio.run(ask(Probes(lambda: ["redis", "worker"]), "/readyz"))

    assert answer == (503, {"status": "not ready", "missing": ["redis", "worker"]})


def test_it_names_a_wrong_clock_and_is_ready_all_the_same() -> None:
    probes = Probes(nothing, lambda: {"web": 40.1, "worker": -7.5})

    answer = asyncio.run(ask(probes, "/readyz"))

    clocks = {"web": 40.1, "worker": -7.5}
    assert answer == (200, {"status": "ready", "missing": [], "skewed_clocks": clocks})


def test_a_probe_is_no_way_to_write() -> None:
    assert asyncio.run(ask(Probes(nothing), "/readyz", "POST"))[0] == 405


def test_many_askers_cause_one_look() -> None:
    look = SlowLook()

    async def story() -> list[tuple[int, Any]]:
        probes = Probes(look)
        asking = [asyncio.create_task(ask(probes, "/readyz")) for _ in range(20)]
        await asyncio.sleep(0)
        look.may_end.set()
        first = await asyncio.gather(*asking)
        return [*first, await ask(probes, "/readyz")]

    assert {status for status, _ in asyncio.run(story())} == {200}
    assert look.begun == 1


def test_a_database_that_says_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next askers do not wait behind it, and it costs one thread however often
    it is asked for.
    """
    monkeypatch.setattr("wechatbot.web.probes.MAY_TAKE_SECONDS", 0.05)
    look = SlowLook()

    async def story() -> list[tuple[int, Any]]:
        probes = Probes(look)
        try:
            return [await ask(probes, "/readyz"), await ask(probes, "/readyz")]
        finally:
            look.may_end.set()

    answers = asyncio.run(story())

    assert answers == [(503, {"status": "not ready", "missing": ["database"]})] * 2
    assert look.begun == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_missing_when_database_redis_and_workers_answer() -> None:
    for key in HEARTBEATS.values():
        redis().set(key, "1", ex=15)

    assert health.missing_parts() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("missing", ["worker", "deliver"])
def test_the_worker_that_is_missing_is_named(missing: str) -> None:
    for name, key in HEARTBEATS.items():
        if name != missing:
            redis().set(key, "1", ex=15)

    assert health.missing_parts() == [missing]


@pytest.mark.django_db(transaction=True)
def test_nobody_knows_of_a_worker_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "redis", absent_redis)

    assert health.missing_parts() == ["redis", "worker", "deliver"]


def test_clocks_that_agree_are_not_named() -> None:
    assert health.skewed_clocks() == {}


def test_a_clock_that_differs_is_named_for_as_long_as_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker.leases, "renew_all", lambda: 0)
    monkeypatch.setattr(clock, "notable_skew", lambda: -40.2)
    worker.beat(("deliver", "default"))
    monkeypatch.setattr(clock, "notable_skew", lambda: 6.0)

    assert health.skewed_clocks() == {"web": 6.0, "deliver": -40.2}
    assert 0 < redis().ttl("clock-skew:deliver") <= worker.HEARTBEAT_SECONDS


def test_our_own_clock_is_named_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "notable_skew", lambda: 6.0)
    monkeypatch.setattr(health, "redis", absent_redis)
    assert health.skewed_clocks() == {"web": 6.0}
