"""A private Redis on a unix socket."""

from __future__ import annotations

import sys
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.services.process import Process, find_program
from wechatbot.supervisor.plan import redis_program


class MissingProgram(Exception):
    """A server that these tests need is not installed."""


class PrivateRedis:
    """`folder` must be short: a socket's path holds about a hundred bytes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        program = find_program("redis-server") or find_program(
            str(Path(sys.executable).parent / "redis-server")
        )
        if program is None:
            raise MissingProgram("redis-server is not installed: run `make test`, which brings it.")
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.process = Process(
            redis_program(program, socket=self.socket, folder=folder).command,
            log=folder / "out.log",
        )

    @property
    def client(self) -> Redis:
        return Redis.from_url(self.url)

    def start(self) -> None:
        self.process.start()
        self.process.wait_until(self._answers, 10, "Redis answers")

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def empty(self) -> None:
        self.client.flushall()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False
