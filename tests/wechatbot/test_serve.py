"""`manage.py serve` as a newcomer meets it: real processes, ended by Ctrl-C, by kill -9, started
again.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.environment import CONTRACT
from tests.services.process import Process, wait_until
from tests.stack import ROOT, free_port
from wechatbot.supervisor import start

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


class Served:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {*CONTRACT, "REDIS_URL"}
        }
        environment.pop("DATABASE_URL", None)
        self.environment = {**environment, "ENV_FILE": os.devnull, "DATA_DIR": str(folder / "data")}
        self.process = self._process(self.port)

    def _process(self, port: int) -> Process:
        command = [sys.executable, "manage.py", "serve", "--demo", "--port", str(port)]
        return Process(
            command,
            log=self.folder / f"serve{port}.log",
            environment=self.environment,
            directory=ROOT,
        )

    def start(self) -> None:
        self.process.start()
        self.process.wait_until(
            lambda: "wechatbot is ready" in self.process.words, 60, "serve is ready"
        )

    def try_another(self, port: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", "serve", "--port", str(port)]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def child(self, word: str) -> psutil.Process:
        return next(child for child in self.children() if word in command_of(child))

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def command_of(process: psutil.Process) -> str:
    """Empty for one that is just ending."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # A zombie is one of these too.
        return ""


@pytest.fixture
def served() -> Iterator[Served]:
    folder = Path(tempfile.mkdtemp(prefix="wb-serve-"))
    served = Served(folder)
    yield served
    served.process.stop(timeout=10)
    shutil.rmtree(folder, ignore_errors=True)


def test_it_prints_urls_and_a_password_the_first_time_only(served: Served) -> None:
    served.start()
    first = served.process.words
    password = (served.folder / "data/secrets/admin_password").read_text(encoding="utf-8").strip()
    served.process.stop(timeout=10)
    served.process.log.unlink()
    served.start()

    assert f"http://localhost:{served.port}/simulator/" in first
    assert f"http://localhost:{served.port}/admin/" in first
    assert f"admin, password {password}" in first
    assert password not in served.process.words
    assert "admin_password" in served.process.words


def test_it_stops_all_on_ctrl_c(served: Served) -> None:
    served.start()
    children = served.children()
    assert len(children) == 4

    os.kill(served.process.pid, signal.SIGINT)

    wait_until(lambda: not served.process.is_running, 10, what="serve ends")
    assert not any(child.is_running() for child in children)
    assert "Traceback" not in served.process.words


def test_it_leaves_no_orphans_when_it_is_killed(served: Served) -> None:
    served.start()
    children = served.children()

    served.process.kill()

    wait_until(lambda: not any(_lives(child) for child in children), 10, what="the children end")


def test_it_starts_a_dead_child_again(served: Served) -> None:
    served.start()
    dead = served.child("-Q reply")

    dead.kill()

    wait_until(
        lambda: any(
            "-Q reply" in command_of(child) for child in served.children() if child.pid != dead.pid
        ),
        timeout=20,
        what="a new worker",
    )
    assert "worker ended with code -9, starting again" in served.process.words


def test_it_keeps_redis_for_itself(served: Served) -> None:
    served.start()

    folder = served.folder / "data/redis"

    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "redis.sock").is_socket()
    assert served.child("redis-server").net_connections("inet") == []


def test_its_children_may_open_as_many_files_as_the_system_allows(served: Served) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with _soft_limit(256):
        served.start()

    limits = {resource.prlimit(child.pid, resource.RLIMIT_NOFILE) for child in served.children()}

    assert limits == {(hard, hard)}


@contextmanager
def _soft_limit(files: int) -> Iterator[None]:
    """What we start meanwhile inherits it, as from a shell with the usual 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_says_in_one_line_that_the_port_is_in_use(served: Served) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = served.try_another(port)

    assert done.returncode != 0
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert (
        f"Cannot use port {port} on 127.0.0.1: Address already in use. Try another: PORT={port + 1}"
        in lines[0]
    )


def test_it_says_in_one_line_that_redis_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start.shutil, "which", lambda name, path=None: None)

    with pytest.raises(start.CannotStart, match=r"^redis-server is missing\. Install it .*$"):
        start.private_redis()


def test_nobody_else_reads_what_it_keeps(served: Served) -> None:
    data = served.folder / "data"
    (data / "secrets").mkdir(parents=True)
    data.chmod(0o755)  # As an earlier version made it.
    served.start()

    open_to_others = [
        path.name for path in data.rglob("*") if path.is_file() and path.stat().st_mode & 0o077
    ]
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "wechatbot.sqlite3").exists()
    assert open_to_others == []


def test_it_runs_once_per_data_folder(served: Served) -> None:
    served.start()

    done = served.try_another(free_port())

    assert done.returncode != 0
    assert f"already running on {served.folder}/data (process {served.process.pid})" in done.stderr


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
