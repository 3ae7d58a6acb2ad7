"""On what was measured: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.meter import cpu_seconds
from tests.services.process import find_program
from tests.stack import ROOT

PACKAGES = (
    "Django",
    "celery",
    "kombu",
    "redis",
    "uvicorn",
    "uvloop",
    "mysqlclient",
    "requests",
    "wechatpy",
    "Flask",
)


class Neighbours:
    """How much of the machine others took while a row was measured: its times are worth that much
    less.
    """

    def __init__(self, servers: Sequence[int]) -> None:
        self._servers = servers
        self._started, self._busy, self._ours = (
            time.monotonic(),
            _busy_seconds(),
            self._our_seconds(),
        )

    def share(self) -> float:
        others = _busy_seconds() - self._busy - (self._our_seconds() - self._ours)
        return max(others, 0.0) / ((time.monotonic() - self._started) * (os.cpu_count() or 1))

    def _our_seconds(self) -> float:
        """Ourselves, the children that have ended, and the servers that go on."""
        usages = [
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        return sum(usage.ru_utime + usage.ru_stime for usage in usages) + sum(
            map(cpu_seconds, self._servers)
        )


def _busy_seconds() -> float:
    """Guests' time is in `user` already."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def description() -> str:
    memory = psutil.virtual_memory().total / 1024**3
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    servers = ", ".join(
        _first_line(*names) for names in (("redis-server",), ("mariadbd", "mysqld"))
    )
    return "\n".join(
        [
            f"- {datetime.now():%Y-%m-%d %H:%M}, commit {_commit()}",
            f"- {os.cpu_count()} cores of {_processor()}, {memory:.0f} GB, {platform.system()} "
            f"{platform.release()}",
            f"- Python {platform.python_version()}, {packages}",
            f"- {servers}",
            f"- load of the machine before the first row: {os.getloadavg()[0]:.1f}",
        ]
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(*names: str) -> str:
    program = find_program(*names) or names[0]
    return subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout.partition("\n")[0]


def _commit() -> str:
    """With a star when something was changed since."""
    command = ["git", "describe", "--always", "--dirty=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
