"""How the peers are started."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

Command = Callable[[int], Sequence[str]]


def asgi_echo(port: int) -> Sequence[str]:
    return (
        *(
            sys.executable,
            "-m",
            "uvicorn",
            "benchmarks.peers.asgi_echo:application",
            "--port",
            str(port),
        ),
        *("--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--backlog", "8192"),
        *("--no-access-log", "--log-level", "warning"),
        *("--no-proxy-headers", "--no-server-header", "--no-date-header"),
    )


def flask_on_gunicorn(port: int) -> Sequence[str]:
    return (
        *(
            sys.executable,
            "-m",
            "gunicorn",
            "--workers",
            "2",
            "--threads",
            "4",
            "--bind",
            f"127.0.0.1:{port}",
        ),
        *("--log-level", "warning", "benchmarks.peers.flask_sample:app"),
    )


def flask_thread_each(port: int) -> Sequence[str]:
    return (sys.executable, "-m", "benchmarks.peers.flask_sample")
