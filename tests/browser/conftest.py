"""The product as a newcomer starts it, and a browser beside it."""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.environment import CONTRACT
from tests.services.process import Process, find_program

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# A second name by which a browser finds the product, as a tunnel gives it.
OTHER_HOST = "shop.example.test"
OPTIONS = [
    f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Playwright's own five seconds are short where other tests keep the machine busy.
expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Served:
    url: str
    folder: Path

    def password_of(self, secret: str) -> str:
        return (self.folder / "secrets" / secret).read_text().strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    process, product = serve(tmp_path_factory.mktemp("served"))
    yield product
    process.stop(timeout=10)


# Not for the session: Playwright's event loop runs as long as it is open, and Django refuses its
# database beside one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=find_program(*CHROMIUM), args=OPTIONS)
        yield found
        found.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
    found.set_default_timeout(15_000)
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
