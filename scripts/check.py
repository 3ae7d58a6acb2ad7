"""Everything about the code that needs no test: style, types, floors, templates, migrations,
translations.

Run by `make check`, with the Python of .venv. All checks run, so that one call shows all that is
wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    *("wechatbot", "webhook", "simulator", "tickets", "assistant"),
    *("knowledge", "conversations", "wechat", "llm", "common"),
)
PYTHON = sys.executable

CHECKS = {
    "ruff check": [PYTHON, "-m", "ruff", "check", "."],
    "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "mypy": [PYTHON, "-m", "mypy", *PACKAGES, "tests/services", "tests/worlds"],
    "floors": [str(Path(PYTHON).with_name("lint-imports")), "--no-cache"],
    "predicates": [PYTHON, "scripts/predicates.py"],
    "templates": [PYTHON, "-m", "djlint", "templates", "--lint"],
    "migrations": [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
    "django": [PYTHON, "manage.py", "check", "--fail-level", "WARNING"],
    "translations": [PYTHON, "scripts/translations.py"],
}


def main() -> int:
    failed = []
    with tempfile.TemporaryDirectory(prefix="wechatbot-check-") as folder:
        # Neither a developer's .env nor rows in var/ decide whether the code is right.
        environment = {
            **os.environ,
            "DATA_DIR": folder,
            "ENV_FILE": os.devnull,
            "PYTHONPATH": str(ROOT),
        }
        for name, command in CHECKS.items():
            if not _passes(name, command, environment):
                failed.append(name)
    print(f"==> {'FAILED: ' + ', '.join(failed) if failed else 'All checks passed'}")
    return 1 if failed else 0


def _passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    word = "ok" if done.returncode == 0 else "FAILED"
    print(f"==> {name:<14}{word}   ({time.monotonic() - started:.0f} s)", flush=True)
    if done.returncode:
        print(done.stdout.rstrip(), flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
