"""Words of the set-up on the console, and commands whose own words are only
shown when they fail.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn


def say(*lines: str) -> None:
    print("==> " + "\n    ".join(lines), flush=True)


def stop(reason: str) -> NoReturn:
    sys.exit(f"==> {reason}")


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> str | None:
    """Run `command`; None if it went well, else its last words."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        # Where pip and uv say what went wrong.
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return None
    return "\n".join(done.stdout.strip().splitlines()[-25:]) or f"exit code {done.returncode}"
