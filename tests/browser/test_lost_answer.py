"""The answer to an agent's reply is lost on its way back: the page asks again by itself, and the
customer reads the reply once.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.served import Served
from tests.browser.test_main_job import last_bubble, log_in, open_phone, write

pytestmark = pytest.mark.browser

WORDS = "您好，这就帮您查运单。"


class LostAnswers:
    """Between page and product: the product hears each reply, the page not the first answers."""

    def __init__(self, lost: int) -> None:
        self.left = lost
        self.keys: list[str] = []

    def carry(self, route: Route) -> None:
        body = route.request.post_data or ""
        self.keys.append(body.split('name="key"')[1].split()[0])
        answer = route.fetch()
        if self.left:
            self.left -= 1
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)


def rows_with(served: Served, words: str) -> list[tuple[str, int]]:
    """State and tries of each reply with these words."""
    with closing(sqlite3.connect(served.folder / "wechatbot.sqlite3")) as database:
        return database.execute(
            "SELECT state, tries FROM conversations_reply WHERE text = ?", [words]
        ).fetchall()


def open_ticket(context: BrowserContext, served: Served, question: str) -> Page:
    desk = context.new_page()
    log_in(desk, served, "liming", "agent_liming_password")
    desk.goto(f"{served.url}/desk/?queue=all")
    desk.locator("#result_list tr", has_text=question).locator("a").first.click()
    expect(desk.locator("#thread")).to_contain_text(question)
    return desk


def test_a_reply_whose_answers_are_lost_reaches_the_customer_once(
    page: Page, context: BrowserContext, served: Served
) -> None:
    open_phone(page, served, verified=True)
    write(page, "转人工，我的运单号查不到")
    expect(last_bubble(page)).to_contain_text("人工客服")
    desk = open_ticket(context, served, "我的运单号查不到")
    answers = LostAnswers(2)
    desk.route("**/reply/", answers.carry)

    desk.locator("#text").fill(WORDS)
    desk.locator("#send").click()
    expect(desk.locator("#progress")).to_have_text("没有收到回应，正在重试，不会重复发送")
    expect(desk.locator("#text")).to_have_value(WORDS)
    expect(desk.locator("#text")).to_have_value("")

    assert len(answers.keys) == 3
    assert len(set(answers.keys)) == 1
    expect(desk.locator("#progress")).to_have_text("")
    expect(desk.locator("#thread .bubble--agent")).to_have_count(1)
    expect(page.locator("#bubbles .bubble", has_text=WORDS)).to_have_count(1)
    expect(desk.locator("#thread .bubble--agent .mark--sent")).to_have_count(1)
    assert rows_with(served, WORDS) == [("sent", 1)]


def test_what_is_under_way_is_still_there_after_a_reload(
    page: Page, context: BrowserContext, served: Served
) -> None:
    open_phone(page, served, verified=True)
    write(page, "转人工，我想改收货地址")
    expect(last_bubble(page)).to_contain_text("人工客服")
    desk = open_ticket(context, served, "我想改收货地址")
    answers = LostAnswers(1000)
    desk.route("**/reply/", answers.carry)
    desk.on("dialog", lambda dialog: dialog.accept())
    words = "好的，请发新的地址。"

    desk.locator("#text").fill(words)
    desk.locator("#send").click()
    expect(desk.locator("#progress")).to_contain_text("正在重试")
    desk.reload()
    expect(desk.locator("#text")).to_have_value(words)
    expect(desk.locator("#problem")).to_contain_text("可以再次发送，不会重复")
    answers.left = 0
    desk.locator("#send").click()
    expect(desk.locator("#text")).to_have_value("")

    expect(page.locator("#bubbles .bubble", has_text=words)).to_have_count(1)
    assert len(rows_with(served, words)) == 1
