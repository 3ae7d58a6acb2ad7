"""The virtual environment `.venv`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from say import run, say, stop

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def ensure(*, can_make_one: bool) -> None:
    if _works():
        return
    if not can_make_one:
        stop("Without the package named above no virtual environment can be made.")
    version = ".".join(map(str, sys.version_info[:3]))
    say(f"Making .venv with Python {version} ({sys.executable})")
    problem = run(_command())
    if problem:
        stop(f"The virtual environment could not be made:\n{problem}")


def _works() -> bool:
    """A Python that was upgraded or removed leaves a dead link behind, and one that was copied has
    the old paths.
    """
    if not PYTHON.exists() or not (VENV / "pyvenv.cfg").exists():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


def _command() -> list[str]:
    """Debian's Python without its package python3-venv cannot make one, an installed uv can."""
    has_ensurepip = (
        subprocess.run(
            [sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False
        ).returncode
        == 0
    )
    uv = shutil.which("uv")
    if not has_ensurepip and uv:
        return [uv, "venv", "--seed", "--clear", "--python", sys.executable, str(VENV)]
    return [sys.executable, "-m", "venv", "--clear", str(VENV)]
