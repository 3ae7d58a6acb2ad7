"""Every page works under its content policy: the browser refuses nothing that the page needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.browser.served import Served
from tests.browser.test_main_job import log_in, open_phone, write

pytestmark = pytest.mark.browser

LISTS = re.compile(r'href="(/admin/[a-z_]+/[a-z_]+/|/desk/)(?:\?[^"]*)?"')
CHANGE = re.compile(r'href="(/admin/[a-z_]+/[a-z_]+/[^"/]+/change/|/desk/\d+/)')


@pytest.fixture
def refusals(page: Page) -> Iterator[list[str]]:
    """What the browser refused, as its console says it."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            found.append(f"{page.url}: {message.text}")

    page.on("console", note)
    yield found
    assert found == []


def test_the_simulator_works(page: Page, served: Served, refusals: list[str]) -> None:
    open_phone(page, served, verified=True)
    write(page, "怎么退货")
    expect(page.locator("#bubbles")).to_contain_text("7 天")


def test_every_list_and_a_form_of_each_works(
    page: Page, served: Served, refusals: list[str]
) -> None:
    open_phone(page, served, verified=True)
    write(page, "转人工")
    expect(page.locator("#bubbles")).to_contain_text("编号")
    log_in(page, served, "admin", "admin_password")
    page.goto(f"{served.url}/admin/")
    lists = sorted(set(LISTS.findall(page.content())))

    assert len(lists) > 10
    for address in lists:
        page.goto(f"{served.url}{address}")
        form = CHANGE.search(page.content())
        if form:
            page.goto(f"{served.url}{form[1]}")
            page.wait_for_load_state("networkidle")


def test_the_menus_of_the_theme_open(page: Page, served: Served, refusals: list[str]) -> None:
    """They are written in attributes that Alpine evaluates."""
    log_in(page, served, "admin", "admin_password")
    page.goto(f"{served.url}/admin/knowledge/faq/")
    menu = page.locator("[x-show=openUserLinks]").first
    expect(menu).to_be_hidden()
    page.locator("[x-on\\:click*='openUserLinks =']").last.click()
    expect(menu).to_be_visible()
