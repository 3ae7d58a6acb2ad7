"""The product as real processes, for tests and benchmarks: Redis, database, web, workers, and the
worlds around them.

    with Stack() as stack:
        outcome = stack.customer.say("oLiHua", "怎么退货")  # as WeChat does it
        stack.workers[0].kill()

Everything that it starts ends with it. `stack.model` is a model server, `stack.wechat` WeChat's
API; both live in this process, so a test looks at what they were asked and tells them how to
misbehave.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.environment import CONTRACT
from tests.services.databases import Database, make_database
from tests.services.mariadb import PrivateMariaDB
from tests.services.process import DidNotHappen, Process, wait_until
from tests.services.redis_server import PrivateRedis
from tests.worlds.api_server import ApiServer
from tests.worlds.model_server import ModelServer
from tests.worlds.poster import Account, Mode, Poster
from wechatbot.supervisor.plan import (
    CHILD_ENVIRONMENT,
    Program,
    deliver_program,
    web_program,
    worker_program,
)

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 40.0
# What belongs to one test; FAQs, synonyms, accounts, models, agents and users stay.
OF_ONE_TEST = (
    "conversations_",
    "tickets_ticket",
    "assistant_answerlog",
    "llm_modelcall",
    "knowledge_cachedanswer",
)


class Stack:
    def __init__(
        self,
        *,
        webs: int = 1,
        workers: int = 1,
        reply_mode: str = "api",
        with_model: bool = True,
        with_fallback: bool = False,
        mode: Mode = "safe",
        mariadb: PrivateMariaDB | None = None,
        environment: Mapping[str, str] | None = None,
        own_environments: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """`mariadb`: a server of this stack's own, which the test may stop and start; the stack
        starts it and ends it. Without one the database is of the kind that the whole test run is
        on. `own_environments`: what a single process sees besides (`web0`, `worker1`, `deliver`).
        """
        self.folder = Path(tempfile.mkdtemp(prefix="wb-"))
        self.redis = PrivateRedis(self.folder / "redis")
        self.mariadb = mariadb
        self.model, self.fallback, self.wechat = ModelServer(), ModelServer(), ApiServer()
        self.ports = [free_port() for _ in range(webs)]
        self.webs: list[Process] = []
        self.workers: list[Process] = []
        self.account = Account()
        self.customer = Poster(self._bases, self.account, mode=mode)
        self.database: Database
        self._worker_count = workers
        self._reply_mode = reply_mode
        self._with_model, self._with_fallback = with_model, with_fallback
        self._changes = dict(environment or {})
        self._own_environments = dict(own_environments or {})

    def __enter__(self) -> Self:
        with ExitStack() as half_started:
            half_started.callback(self.stop)
            self.start()
            half_started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    def start(self) -> None:
        self.redis.start()
        for fake in (self.model, self.fallback, self.wechat):
            fake.__enter__()
        if self.mariadb is not None:
            self.mariadb.start()
        self.database = make_database(self.folder, self.mariadb)
        self.manage("prepare", "-v", "0")
        self.furnish()
        self.webs = [
            self._process(web_program("127.0.0.1", port), f"web{number}", PORT=str(port))
            for number, port in enumerate(self.ports)
        ]
        names = [f"worker{number}" for number in range(self._worker_count)]
        threads = int(self.environment["WORKER_THREADS"])
        self.workers = [self._process(worker_program(threads, name=name), name) for name in names]
        self.deliver = self._process(deliver_program(), "deliver")
        for process in self.processes:
            process.start()
        self.wait_until_ready()

    def furnish(self) -> None:
        """For subclasses: rows that are there before the first process starts."""

    @property
    def processes(self) -> list[Process]:
        return [*self.webs, *self.workers, *([self.deliver] if hasattr(self, "deliver") else [])]

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        self.redis.kill()
        for fake in (self.model, self.fallback, self.wechat):
            if fake.port:
                fake.__exit__(None, None, None)
        if self.mariadb is not None:
            self.mariadb.stop()
        elif hasattr(self, "database"):
            self.database.drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_ready(self) -> None:
        """Every web process says `/readyz`, so every part of it is there: also after a restart of
        something.
        """
        for web, port in zip(self.webs, self.ports, strict=True):
            web.wait_until(
                lambda port=port: _status(f"http://127.0.0.1:{port}/readyz") == 200,
                READY_WITHIN,
                "/readyz",
            )

    def wait_until(
        self, predicate: Callable[[], object], timeout: float = 10, what: str = ""
    ) -> None:
        """Like `wait_until`, and shows what our processes said when it does not come true."""
        try:
            wait_until(predicate, timeout, what=what)
        except DidNotHappen as error:
            raise DidNotHappen(f"{error}\n{self.words()}") from None

    def words(self) -> str:
        return "\n".join(
            f"--- {process.log.name}\n{process.words[-3000:]}" for process in self.processes
        )

    def manage(self, *arguments: str) -> str:
        """`manage.py …` with this stack's environment."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python inside the product; returns what it prints."""
        return self.manage("shell", "-v", "0", "-c", code)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.database.run(sql)

    def clean(self) -> None:
        """Between two tests on one stack: as if nobody had ever written. Processes stay; a dead one
        is started.
        """
        for process in self.processes:
            if not process.is_running:
                process.start()
        for table in self.database.tables():
            if table.startswith(OF_ONE_TEST):
                self.database.run(f"DELETE FROM {table}")
        keys = [
            key
            for key in self.redis.client.keys("*")
            if not key.startswith((b"_kombu", b"heartbeat:"))
        ]
        if keys:
            self.redis.client.delete(*keys)
        self.wechat.forget()
        for model in (self.model, self.fallback):
            model.forget()
        self.wait_until_ready()

    def _bases(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def _process(self, program: Program, name: str, **environment: str) -> Process:
        environment = {**self.environment, **environment, **self._own_environments.get(name, {})}
        return Process(
            program.command,
            log=self.folder / f"{name}.log",
            environment=environment,
            directory=ROOT,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Production's settings (a Redis by name, no DEBUG) with pages of the simulator off."""
        inherited = {name: value for name, value in os.environ.items() if name not in CONTRACT}
        return {
            **inherited,
            **CHILD_ENVIRONMENT,
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.redis.url,
            "DEBUG": "false",
            "SIMULATOR": "false",
            "WORKER_THREADS": "100",
            "RATE_LIMIT_PER_MINUTE": "1000",
            "WECHAT_APP_ID": self.account.app_id,
            "WECHAT_APP_SECRET": self.account.secret,
            "WECHAT_TOKEN": self.account.token,
            "WECHAT_ENCODING_AES_KEY": self.account.aes_key,
            "WECHAT_REPLY_MODE": self._reply_mode,
            "WECHAT_API_URL": self.wechat.url,
            **self._models(),
            **self._changes,
        }

    def _models(self) -> dict[str, str]:
        first = {"LLM_BASE_URL": self.model.url, "LLM_API_KEY": "sk-first", "LLM_MODEL": "first"}
        second = {
            "LLM_FALLBACK_BASE_URL": self.fallback.url,
            "LLM_FALLBACK_API_KEY": "sk-second",
            "LLM_FALLBACK_MODEL": "second",
        }
        return {**(first if self._with_model else {}), **(second if self._with_fallback else {})}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        time.sleep(0.05)
        return 0
