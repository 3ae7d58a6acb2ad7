"""The served product, and a browser beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.served import OTHER_HOST, Served, serve
from tests.services.process import find_program

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
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
