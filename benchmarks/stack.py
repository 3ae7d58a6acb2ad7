"""What a benchmark runs on: one MariaDB and one Redis for all rows, and the product's own processes
for each.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.counters import Asked, asked_so_far
from tests.environment import CONTRACT
from tests.services.mariadb import PrivateMariaDB
from tests.services.process import Process
from tests.services.redis_server import PrivateRedis
from tests.stack import ROOT, free_port
from wechatbot.supervisor.plan import (
    CHILD_ENVIRONMENT,
    deliver_program,
    web_program,
    worker_program,
)

DATABASE = "benchmark"
PRODUCT = "wechatbot.asgi:application"
ACK_ONLY = "benchmarks.ack_only:application"
WORKER_THREADS = 300
# What one row leaves behind must not slow the next one down.
EMPTIED = (
    "conversations_",
    "tickets_",
    "llm_modelcall",
    "knowledge_cachedanswer",
    "assistant_answerlog",
)
KEPT = ("tickets_agent",)
SERVERS = ("Redis", "MariaDB")
# Of the model's thinking times: each run draws the same.
SEED = 4


def get_json(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return json.load(response)


def is_answering(port: int, path: str) -> bool:
    try:
        get_json(port, path)
    except (OSError, ValueError, urllib.error.URLError):
        return False
    return True


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Thinking:
    """How the fake model behaves. `lognormal`: median and 95th percentile in seconds."""

    seconds: float = 3.0
    chunks: int = 10
    lognormal: tuple[float, float] | None = None


@dataclass(frozen=True)
class Target:
    """What a load is sent to: the port, and the processes whose work it costs."""

    port: int
    pids: dict[str, int]

    @property
    def own_pids(self) -> dict[str, int]:
        return {part: pid for part, pid in self.pids.items() if part not in SERVERS}


@dataclass
class Product:
    """The product's processes while one row is measured."""

    port: int
    web: Process
    workers: list[Process]
    deliver: Process | None
    model: Process | None
    stack: Stack

    def target(self) -> Target:
        return Target(self.port, {part: process.pid for part, process in self.parts().items()})

    def fakes(self) -> dict[str, int]:
        """Not counted, but on the same cores."""
        model = {"model": self.model.pid} if self.model else {}
        return {**model, "WeChat API": self.stack.api.pid}

    def parts(self) -> dict[str, Process]:
        workers = {
            f"worker {number}": worker for number, worker in enumerate(self.workers, start=1)
        }
        deliver = {"deliver": self.deliver} if self.deliver else {}
        servers = zip(SERVERS, (self.stack.redis.process, self.stack.mariadb.process), strict=True)
        return {"web": self.web, **workers, **deliver, **dict(servers)}


class Stack:
    """One folder, one MariaDB (every commit reaches the disk), one Redis (append-only file), a
    WeChat API.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mariadb = PrivateMariaDB(folder / "db", durable=True)
        self.redis = PrivateRedis(folder / "redis")
        self.model_port, self.api_port = free_port(), free_port()
        self.api = self._python("wechat_api", "tests.worlds.api_server", str(self.api_port))
        self._started: list[Process] = []

    def start(self) -> None:
        self.redis.start()
        self._started.append(self.redis.process)
        self.mariadb.start()
        self._started.append(self.mariadb.process)
        self.mariadb.make_database(DATABASE)
        self._start(self.api)
        command = [
            sys.executable,
            "-m",
            "benchmarks.prepare",
            f"http://127.0.0.1:{self.model_port}/v1",
        ]
        subprocess.run(command, env=self.environment(), check=True)

    def stop(self) -> None:
        for process in reversed(self._started):
            process.stop(timeout=10)

    def environment(self, **changes: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in CONTRACT}
        return {
            **inherited,
            **CHILD_ENVIRONMENT,
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": self.mariadb.url(DATABASE),
            "REDIS_URL": self.redis.url,
            "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "WECHAT_API_URL": f"http://127.0.0.1:{self.api_port}",
            "WORKER_THREADS": str(WORKER_THREADS),
            "LOG_LEVEL": "WARNING",
            # All customers of a row are new ones. The limit would send most of them to a person.
            "NEW_CUSTOMERS_PER_MINUTE": "1000000",
            "PYTHONPATH": str(ROOT),
            **changes,
        }

    @contextlib.contextmanager
    def product(
        self,
        *,
        application: str = PRODUCT,
        workers: int = 1,
        thinking: Thinking | None = None,
        **environment: str,
    ) -> Iterator[Product]:
        """The product as `serve` starts it. With ACK_ONLY there is nothing for workers to do, and
        none.
        """
        self.empty()
        port = free_port()
        made = Product(port, self._web(application, port, environment), [], None, None, self)
        if application == PRODUCT:
            made.workers = [self.worker(number, **environment) for number in range(1, workers + 1)]
            made.deliver = self._program("deliver", deliver_program().command, environment)
        made.model = self.model(thinking) if thinking else None
        processes = [
            *([made.model] if made.model else []),
            made.web,
            *made.workers,
            *([made.deliver] if made.deliver else []),
        ]
        with running(processes):
            path = "/readyz" if made.workers else "/healthz"
            made.web.wait_until(lambda: is_answering(port, path), 60, "the product is ready")
            yield made

    def worker(self, number: int, **environment: str) -> Process:
        program = worker_program(WORKER_THREADS, name=f"worker{number}")
        return self._program(program.name, program.command, environment)

    def model_stats(self) -> Any:
        return get_json(self.model_port, "/stats")

    def sent_by_api(self) -> list[tuple[str, str, float]]:
        return [tuple(one) for one in get_json(self.api_port, "/sent")["sent"]]

    def servers_asked(self) -> Asked:
        return asked_so_far(self.mariadb, self.redis)

    @property
    def server_pids(self) -> list[int]:
        return [process.pid for process in self._started]

    def openids_handed_over(self) -> list[str]:
        query = f"SELECT openid FROM {DATABASE}.conversations_message WHERE state = 'handed_over'"
        return self.mariadb.execute(query).split()

    def openids_of_unknown_outcome(self) -> list[str]:
        """Replies that a process was sending when it died, and those that the
        sweep will find so.
        """
        return self.mariadb.execute(
            f"SELECT m.openid FROM {DATABASE}.conversations_reply r JOIN "
            f"{DATABASE}.conversations_message m "
            "ON m.id = r.message_id WHERE r.state IN ('unknown', 'sending')"
        ).split()

    def empty(self) -> None:
        names = self.mariadb.execute(f"SHOW TABLES FROM {DATABASE}").split()
        emptied = [name for name in names if name.startswith(EMPTIED) and not name.startswith(KEPT)]
        truncate = " ".join(f"TRUNCATE {DATABASE}.{name};" for name in emptied)
        self.mariadb.execute(f"SET FOREIGN_KEY_CHECKS=0; {truncate}")
        self.redis.empty()
        self.sent_by_api()

    def _web(self, application: str, port: int, environment: dict[str, str]) -> Process:
        command = [
            part.replace(PRODUCT, application) for part in web_program("127.0.0.1", port).command
        ]
        return self._program("web", command, environment)

    def model(self, thinking: Thinking) -> Process:
        """It answers with the customer's own words."""
        options: dict[str, object] = {
            "port": self.model_port,
            "seconds": thinking.seconds,
            "chunks": thinking.chunks,
            "otherwise": "echo",
            "seed": SEED,
        }
        if thinking.lognormal:
            options["lognormal"] = ",".join(map(str, thinking.lognormal))
        words = [f"--{name}={value}" for name, value in options.items()]
        return self._python("model", "tests.worlds.model_server", *words)

    def _program(self, name: str, command: Sequence[str], environment: dict[str, str]) -> Process:
        log = self.folder / f"{name}.log"
        return Process(command, log=log, environment=self.environment(**environment))

    def _python(self, name: str, module: str, *arguments: str) -> Process:
        return self._program(name, [sys.executable, "-m", module, *arguments], {})

    def _start(self, process: Process) -> None:
        process.start()
        self._started.append(process)


@contextlib.contextmanager
def running(processes: Sequence[Process]) -> Iterator[None]:
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            if process.is_running:
                os.kill(process.pid, signal.SIGTERM)
        for process in processes:
            process.stop(timeout=5)
