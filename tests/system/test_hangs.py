"""`manage.py serve` with a part that hangs: it is replaced, and what was acknowledged is answered
once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator

import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.services.databases import make_database
from tests.services.process import Process
from tests.stack import ROOT, free_port
from tests.system.shop import FAQ_ANSWER, MODEL_ANSWER, QUESTION, Phone, Shop
from wechatbot.supervisor.watch import ASK_EVERY

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

# Generous: it takes about twenty seconds.
BACK_WITHIN = 120
PARTS = {
    "web": "wechatbot.web",
    "worker": "-Q reply",
    "deliver": "-Q deliver",
    "redis": "redis-server",
}


class ServedShop(Shop):
    """The shop as one `serve` with a Redis of its own, as `make run` starts it."""

    _is_serving = False

    def start(self) -> None:
        self.redis.start()
        for fake in (self.model, self.fallback, self.wechat):
            fake.__enter__()
        self.database = make_database(self.folder, None)
        self.manage("prepare", "-v", "0")
        self.furnish()
        self.redis.stop()
        self._is_serving = True
        command = [sys.executable, "manage.py", "serve", "--port", str(self.ports[0])]
        environment = {**self.environment, "PORT": str(self.ports[0])}
        self.serve = Process(
            command, log=self.folder / "serve.log", environment=environment, directory=ROOT
        )
        self.webs = [self.serve]
        self.serve.start()
        self.wait_until_ready()

    def stop(self) -> None:
        if self._is_serving:
            self.serve.stop(timeout=20)
        super().stop()

    @property
    def environment(self) -> dict[str, str]:
        environment = super().environment
        if self._is_serving:
            del environment["REDIS_URL"]
        return environment

    def child(self, part: str) -> psutil.Process:
        children = psutil.Process(self.serve.pid).children()
        return next(child for child in children if PARTS[part] in " ".join(child.cmdline()))

    def pids(self) -> dict[str, int]:
        return {part: self.child(part).pid for part in PARTS}

    def is_replaced(self, part: str, former: int) -> bool:
        with contextlib.suppress(StopIteration, psutil.NoSuchProcess):
            return self.child(part).pid != former
        return False

    @property
    def own_redis(self) -> Redis:
        return Redis.from_url(f"unix://{self.folder}/data/redis/redis.sock?db=0")


@pytest.fixture(scope="module")
def served() -> Iterator[ServedShop]:
    with ServedShop(environment={"HOLD_SECONDS": "0"}) as shop:
        yield shop


@pytest.mark.parametrize("part", list(PARTS))
def test_a_part_that_hangs_is_replaced_and_nothing_acknowledged_is_lost(
    served: ServedShop, part: str
) -> None:
    _wait_until_seen(served, served.child(part))
    served.model.behave("when told")
    phone = served.phone("verified", f"oAsked{part}")
    calls = served.model.calls
    assert phone.say(f"给我讲讲你们的历史，{part}").acknowledged
    served.wait_until(lambda: served.model.calls > calls, 30, "the model thinks")
    served.own_redis.set("kept", part)
    before = served.pids()

    os.kill(before[part], signal.SIGSTOP)
    served.model.manner.may_speak.set()
    served.wait_until(
        lambda: served.is_replaced(part, before[part]), BACK_WITHIN, f"{part} is replaced"
    )
    served.wait_until_ready()

    phone.wait_to_read(MODEL_ANSWER, BACK_WITHIN)
    _is_well(served, served.phone("verified", f"oAfter{part}"))
    assert phone.read == [MODEL_ANSWER]
    assert phone.ticket_reasons == []
    assert served.own_redis.get("kept") == part.encode()
    assert f"{part} gives no sign of life" in served.serve.words
    assert {**served.pids(), part: 0} == {**before, part: 0}
    served.model.manner.may_speak.clear()


def _wait_until_seen(shop: Shop, child: psutil.Process) -> None:
    """Until its first sign of life it is taken for starting, and it is asked
    for one every second.
    """
    shop.wait_until(
        lambda: time.time() - child.create_time() > 3 * ASK_EVERY, 60, "it was seen alive"
    )


def _is_well(served: ServedShop, phone: Phone) -> None:
    """An FAQ answered by web, a question answered by the worker."""
    phone.say(QUESTION)
    phone.wait_to_read(FAQ_ANSWER, BACK_WITHIN)
    phone.say("你们的老板是谁")
    phone.wait_to_read(MODEL_ANSWER, BACK_WITHIN)


class Contained:
    """One program as a container starts it, on a database of Redis that nobody else writes
    heart-beats into.
    """

    def __init__(self, shop: Shop, name: str) -> None:
        self.port = free_port()
        self.name = name
        self._redis = Redis.from_url(shop.redis.url.replace("db=0", "db=7"))
        self._redis.flushdb()
        environment = {**shop.environment, "PORT": str(self.port)}
        environment["REDIS_URL"] = shop.redis.url.replace("db=0", "db=7")
        command = [sys.executable, "-m", "wechatbot.supervisor.container", name]
        self.process = Process(
            command,
            log=shop.folder / f"one-{name}-{self.port}.log",
            environment=environment,
            directory=ROOT,
        )

    def is_alive(self) -> bool:
        with contextlib.suppress(OSError, RedisError):
            if self.name == "web":
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/healthz", timeout=2
                ) as answer:
                    return bool(answer.status == 200)
            return bool(self._redis.keys("heartbeat:*"))
        return False

    @property
    def child(self) -> psutil.Process:
        (child,) = psutil.Process(self.process.pid).children()
        return child


@pytest.fixture
def contained(shop: Shop, request: pytest.FixtureRequest) -> Iterator[Contained]:
    contained = Contained(shop, request.param)
    contained.process.start()
    contained.process.wait_until(contained.is_alive, 60, f"{contained.name} lives")
    yield contained
    contained.process.kill()


each_program = pytest.mark.parametrize("contained", ["web", "worker", "deliver"], indirect=True)


@each_program
def test_a_container_ends_when_its_program_hangs(shop: Shop, contained: Contained) -> None:
    """So that it is started again: by `restart: unless-stopped`."""
    child = contained.child
    _wait_until_seen(shop, child)

    child.suspend()
    shop.wait_until(lambda: not contained.process.is_running, BACK_WITHIN, "the container ends")

    assert contained.process.exit_code == 128 + signal.SIGKILL
    assert f"{contained.name} gives no sign of life" in contained.process.words
    assert not child.is_running()


@each_program
def test_a_container_ends_in_order_when_it_is_asked_to(shop: Shop, contained: Contained) -> None:
    child = contained.child

    os.kill(contained.process.pid, signal.SIGTERM)
    shop.wait_until(lambda: not contained.process.is_running, 60, "the container ends")

    assert contained.process.exit_code in (0, 128 + signal.SIGTERM)
    assert not child.is_running()
    assert "no sign of life" not in contained.process.words
