"""uv reads neither pip's files nor its environment: what they say about indexes is
handed on to it.
"""

from __future__ import annotations

import ast
import functools
import os
import subprocess
from pathlib import Path

PYPI = "https://pypi.org/simple"
UV_CONFIGURATION = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"),
    *("UV_FIND_LINKS", "UV_NO_INDEX", "UV_CONFIG_FILE"),
)


def uv_options(python: Path) -> list[str]:
    """Nothing when uv is configured by itself: that is the wish of whoever did it."""
    if _uv_is_configured():
        return []
    settings = _pip_settings(python)
    options = _index_options(settings)
    for place in settings.get("find-links", []):
        if "://" in place or Path(place).exists():
            options.append(f"--find-links={place}")
    for host in settings.get("trusted-host", []):
        options.append(f"--allow-insecure-host={host}")
    if settings.get("no-index", ["0"])[0].lower() in {"1", "true", "yes", "on"}:
        options.append("--no-index")
    return options


def _index_options(settings: dict[str, list[str]]) -> list[str]:
    """In the order in which uv asks: its default index comes last.

    uv takes a package from the first index that knows its name. The main index goes before the
    additional ones, so that a mirror that keeps other versions takes nothing away. What no single
    index can give is left to pip, which looks into all of them; the hashes bind both.
    """
    additional = settings.get("extra-index-url", [])
    main = settings.get("index-url", [PYPI] if additional else [])
    indexes = [*main, *additional]
    if not indexes:
        return []
    *first, last = indexes
    return [*(f"--index={index}" for index in first), f"--default-index={last}"]


def uv_environment(python: Path) -> dict[str, str]:
    settings = _pip_settings(python)
    environment = dict(os.environ)
    if settings.get("cert"):
        environment.setdefault("SSL_CERT_FILE", settings["cert"][0])
    timeout = settings.get("timeout") or settings.get("default-timeout")
    if timeout:
        environment.setdefault("UV_HTTP_TIMEOUT", timeout[0])
    return environment


def _uv_is_configured() -> bool:
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    files = (home / "uv" / "uv.toml", Path("/etc/uv/uv.toml"))
    return any(map(os.environ.get, UV_CONFIGURATION)) or any(map(Path.exists, files))


@functools.cache
def _pip_settings(python: Path) -> dict[str, list[str]]:
    """`pip config list`: lines such as `global.index-url='https://…'`; what comes later wins."""
    command = [str(python), "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    settings = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in {"global", "install", ":env:"}:
            settings[key] = str(ast.literal_eval(value)).split()
    return settings
