"""On what was measured: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from tests.services.process import find_program
from tests.stack import ROOT

PACKAGES = ("Django", "celery", "kombu", "redis", "uvicorn", "uvloop", "mysqlclient", "requests", "wechatpy", "Flask")


def description() -> str:
    memory = psutil.virtual_memory().total / 1024**3
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    servers = ", ".join(_first_line(*names) for names in (("redis-server",), ("mariadbd", "mysqld")))
    return "\n".join(
        [
            f"- {datetime.now():%Y-%m-%d %H:%M}, commit {_commit()}",
            f"- {os.cpu_count()} cores of {_processor()}, {memory:.0f} GB, {platform.system()} {platform.release()}",
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
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def _commit() -> str:
    """With a star when something was changed since."""
    command = ["git", "describe", "--always", "--dirty=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
