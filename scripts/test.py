"""All tests on real servers: on MariaDB + Redis, and again on SQLite + Redis.

Run by `make test`, with the Python of .venv. The servers are private: files in a temporary folder,
unix sockets only. More words go to pytest: `.venv/bin/python scripts/test.py tests/webhook -k
repeat`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.services import wrong_clock  # noqa: E402
from tests.services.mariadb import PrivateMariaDB, is_installed  # noqa: E402
from tests.services.process import find_program  # noqa: E402

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Most tests wait for servers: on two cores two processes are best, and more than four gain nothing.
PROCESSES = min(max(os.cpu_count() or 2, 2), 4)


@dataclass(frozen=True)
class Run:
    name: str
    database_url: str | None
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    run: Run
    passed: bool
    last_line: str
    seconds: float


def main() -> int:
    missing = _missing()
    if missing and os.environ.get("CI") == "true":
        print(f"==> CI=true, and these are not installed: {', '.join(missing)}", flush=True)
        return 1
    with tempfile.TemporaryDirectory(prefix="wechatbot-mariadb-") as folder:
        outcomes = _run_all(Path(folder), missing)
    return _sum_up(outcomes, missing)


def _missing() -> dict[str, str]:
    """What is not installed, and the mark of the tests that need it."""
    found = {
        "MariaDB": ("mariadb", is_installed()),
        "nginx": ("nginx", find_program("nginx")),
        "gcc": ("compiler", wrong_clock.can_be_built()),
        "chromium": ("browser", find_program(*CHROMIUM)),
    }
    return {name: mark for name, (mark, there) in found.items() if not there}


def _run_all(folder: Path, missing: dict[str, str]) -> list[Outcome]:
    left_out = tuple(missing.values())
    # What a browser shows does not depend on the database, and some tests bring their own: once is
    # enough.
    not_twice = () if "MariaDB" in missing else ("browser", "once")
    on_sqlite = Run("SQLite + Redis", None, (*left_out, *not_twice))
    if "MariaDB" in missing:
        return [_run(on_sqlite)]
    database = PrivateMariaDB(folder)
    database.start()
    try:
        return [_run(Run("MariaDB + Redis", database.url("wechatbot"), left_out)), _run(on_sqlite)]
    finally:
        database.stop()


def _run(run: Run) -> Outcome:
    print(f"\n==> Tests on {run.name}", flush=True)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL"}
    }
    if run.database_url:
        environment["DATABASE_URL"] = run.database_url
    marks = (
        ["-m", " and ".join(f"not {mark}" for mark in dict.fromkeys(run.left_out))]
        if run.left_out
        else []
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        str(PROCESSES),
        "--dist",
        "loadfile",
        *marks,
        *sys.argv[1:],
    ]
    started = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        last_line = ""
        for line in tests.stdout:
            print(line, end="", flush=True)
            last_line = line.strip() or last_line
    return Outcome(run, tests.returncode == 0, last_line, time.monotonic() - started)


def _sum_up(outcomes: list[Outcome], missing: dict[str, str]) -> int:
    print("\n==> Summary")
    for name, mark in missing.items():
        print(f"    {name} is not installed: tests marked `{mark}` were left out")
    for outcome in outcomes:
        word = "passed" if outcome.passed else "FAILED"
        print(
            f"    {outcome.run.name:<16} {word}   {outcome.last_line.strip('= ')}   "
            f"({outcome.seconds:.0f} s)"
        )
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
