"""The product as a newcomer starts it: `manage.py serve --demo`, with nothing set."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.environment import CONTRACT
from tests.services.process import Process
from tests.stack import free_port

# A second name by which a browser finds the product, as a tunnel gives it.
OTHER_HOST = "shop.example.test"


@dataclass(frozen=True)
class Served:
    url: str
    folder: Path

    def password_of(self, secret: str) -> str:
        return (self.folder / "secrets" / secret).read_text().strip()


def serve(folder: Path, **settings: str) -> tuple[Process, Served]:
    """`manage.py serve --demo` in the embedded mode: SQLite and a Redis of its own, whatever this
    test run uses.
    """
    port = free_port()
    foreign = {*CONTRACT, "REDIS_URL", "DATABASE_URL", "DATA_DIR"}
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    environment.update(ENV_FILE=os.devnull, DATA_DIR=str(folder), PORT=str(port))
    environment.update({"PUBLIC_URL": f"http://localhost:{port}", **settings})
    process = Process(
        [sys.executable, "manage.py", "serve", "--demo"],
        log=folder / "serve.log",
        environment=environment,
    )
    process.start()
    url = f"http://localhost:{port}"
    process.wait_until(lambda: is_ready(url), 90, "serving")
    return process, Served(url, folder)


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False
