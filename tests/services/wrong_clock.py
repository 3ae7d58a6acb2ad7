"""A process on a host whose clock is wrong: what it reads as the time of day is shifted, and the
clocks that only tick are left alone.

Debian's libfaketime does the same, but breaks `time.sleep` of Python 3.11: hence a few lines of C.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.services.process import find_program

SOURCE = Path(__file__).with_suffix(".c")
COMPILERS = ("gcc", "cc")


def can_be_built() -> bool:
    return find_program(*COMPILERS) is not None


def clock_ahead_by(seconds: int, folder: Path) -> dict[str, str]:
    """The environment of a process whose clock is so far ahead; behind with less than 0."""
    return {"LD_PRELOAD": str(_built(folder)), "WRONG_CLOCK_SECONDS": str(seconds)}


def _built(folder: Path) -> Path:
    compiler = find_program(*COMPILERS)
    assert compiler is not None
    library = folder / "wrong_clock.so"
    command = [compiler, "-shared", "-fPIC", "-nostdlib", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True)
    return library
