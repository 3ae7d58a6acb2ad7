"""Where the CPU goes, with py-spy, while a row is measured: samples of the threads that hold the
interpreter's lock.

Waiting for the database or a socket is not in it. It costs CPU itself: figures of such a run are
not for the table.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.stack import Target

# Without pausing the process for each look: it has hundreds of threads, and would wait for py-spy
# most of the time.
HOW = ("-f", "raw", "--gil", "-r", "200", "--nonblocking")


class Profiler:
    """`folder` None: switched off."""

    def __init__(self, folder: Path | None, seconds: int = 15) -> None:
        self._folder, self._seconds = folder, seconds

    def watch(self, name: str, target: Target) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        program = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or "py-spy"
        for part, pid in target.own_pids.items():
            file = self._folder / f"{name} {part}.raw".replace(" ", "-")
            command = [program, "record", *HOW, "-d", str(self._seconds), "-p", str(pid)]
            subprocess.Popen(
                [*command, "-o", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
