"""What `serve` runs: the programs with their arguments, and what to say when all of them answer."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

# A second's pause of a numeric library's idle threads and an arena per thread cost memory and bring
# nothing here.
CHILD_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "wechatbot.settings",
    "PYTHONUNBUFFERED": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    # `serve` and `prepare` have run Django's checks; the workers need not import every page to do
    # it again.
    "CELERY_SKIP_CHECKS": "1",
}
# Celery warns root of pickled messages; ours are JSON, and a container or a rented server often
# knows only root.
NOT_ABOUT_ROOT = "ignore:You're running the worker with superuser privileges"


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    host: str
    port: int
    host_header: str
    web: Program
    workers: tuple[Program, ...]
    redis: Program | None
    redis_socket: str
    urls: tuple[tuple[str, str], ...]
    password_file: str
    password_is_new: bool

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        values = json.loads(text)
        for name in ("web", "redis"):
            values[name] = values[name] and _program(values[name])
        values["workers"] = tuple(_program(worker) for worker in values["workers"])
        return cls(**values)


def _program(values: dict[str, object]) -> Program:
    command = values["command"]
    assert isinstance(command, list)
    return Program(name=str(values["name"]), command=tuple(command))


def redis_program(program: str, *, socket: Path, folder: Path) -> Program:
    """A Redis of our own: no port, a socket that only this user may open, an append-only file."""
    return Program(
        "redis",
        (
            *(program, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
            *("--dir", str(folder), "--logfile", str(folder / "redis.log"), "--daemonize", "no"),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        ),
    )


def web_program(host: str, port: int) -> Program:
    return Program(
        "web",
        (
            *(sys.executable, "-m", "wechatbot.web", "wechatbot.asgi:application"),
            *("--host", host, "--port", str(port)),
        ),
    )


def worker_program(threads: int, *, name: str = "worker") -> Program:
    """Takes what needs a model. Each of several on one machine has its own name."""
    return _celery(name, "-Q", "reply", "-c", str(threads), "-n", f"{name}@%h")


def deliver_program() -> Program:
    """Deliveries, small jobs, the sweep, and beat as a thread."""
    return _celery(
        "deliver", "-Q", "deliver,default", "-c", "20", "-n", "deliver@%h", "--beat-thread"
    )


def _celery(name: str, *options: str) -> Program:
    return Program(
        name,
        (
            *(
                sys.executable,
                "-W",
                NOT_ABOUT_ROOT,
                "-m",
                "celery",
                "--quiet",
                "-A",
                "wechatbot",
                "worker",
            ),
            *(
                "-P",
                "threads",
                *options,
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
                "-l",
                "WARNING",
            ),
        ),
    )
