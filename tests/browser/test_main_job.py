"""The main job, as a newcomer tries it: one command, a phone in one window,
the ticket in another.
"""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from redis import Redis

from tests.browser.served import Served
from tests.services.process import wait_until

pytestmark = pytest.mark.browser

_numbers = itertools.count(1)
REPLY = "您好，我是李明，老板姓张。"


def open_phone(page: Page, served: Served, *, verified: bool) -> None:
    """A new customer of an account that is verified, or not. The page shows the phone of another
    one before, with the same welcome on it.
    """
    name = f"{'认证' if verified else '未认证'}客户 {next(_numbers)}"
    page.goto(f"{served.url}/simulator/")
    page.locator("#verified label").nth(0 if verified else 1).click()
    page.locator("#new-customer").click()
    page.locator("#customer-name").fill(name)
    page.locator("#new-customer-dialog button[type=submit]").first.click()
    expect(page.locator("#customer option:checked")).to_contain_text(name)
    expect(page.locator("#bubbles")).to_contain_text("您好，这里是", timeout=15_000)


def write(page: Page, words: str) -> None:
    page.locator("#message").fill(words)
    page.locator("#send").click()


def last_bubble(page: Page) -> Locator:
    return page.locator("#bubbles .bubble-row.account .bubble").last


def log_in(page: Page, served: Served, user: str, secret: str) -> None:
    page.goto(f"{served.url}/admin/login/?next=/desk/")
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(served.password_of(secret))
    page.locator("button[type=submit]").first.click()


def answer_the_ticket(context: BrowserContext, served: Served) -> None:
    """An agent finds the ticket in the admin and replies."""
    desk = context.new_page()
    log_in(desk, served, "liming", "agent_liming_password")
    desk.goto(f"{served.url}/desk/")
    desk.locator("#result_list a[href^='/desk/']").first.click()
    expect(desk.locator("#thread")).to_contain_text("老板叫什么名字")
    desk.locator("#text").fill(REPLY)
    desk.locator("#send").click()
    expect(desk.locator("#thread")).to_contain_text(REPLY)
    desk.close()


def test_a_customer_of_a_verified_account_is_served_by_bot_and_person(
    page: Page, context: BrowserContext, served: Served
) -> None:
    open_phone(page, served, verified=True)
    write(page, "怎么退货")
    expect(last_bubble(page)).to_contain_text("7 天")
    write(page, "老板叫什么名字")
    expect(last_bubble(page)).to_contain_text("编号")
    answer_the_ticket(context, served)
    expect(page.locator("#bubbles")).to_contain_text(REPLY)


def test_a_customer_of_an_unverified_account_taps_for_the_persons_reply(
    page: Page, context: BrowserContext, served: Served
) -> None:
    open_phone(page, served, verified=False)
    write(page, "怎么退货")
    expect(last_bubble(page)).to_contain_text("7 天")
    write(page, "老板叫什么名字")
    expect(last_bubble(page)).to_contain_text("编号")
    answer_the_ticket(context, served)
    expect(page.locator("#bubbles")).not_to_contain_text(REPLY)
    page.locator("#bubbles .tap").last.click()
    expect(last_bubble(page)).to_contain_text(REPLY)


def test_the_list_of_tickets_shows_a_new_one_by_itself(
    page: Page, context: BrowserContext, served: Served
) -> None:
    log_in(page, served, "liming", "agent_liming_password")
    page.goto(f"{served.url}/desk/?queue=all")
    phone = context.new_page()
    open_phone(phone, served, verified=True)
    write(phone, "我要投诉你们的仓库，转人工")
    expect(last_bubble(phone)).to_contain_text("人工客服")
    expect(page.locator("#result_list")).to_contain_text("我要投诉你们的仓库", timeout=20_000)
    expect(page.locator("#changelist-count")).not_to_contain_text("共 0 条")
    expect(page).to_have_title(re.compile(r"^\(\d+\) 工单"))


def test_a_person_is_promised_only_while_a_page_of_the_desk_is_open(
    page: Page, context: BrowserContext, served: Served
) -> None:
    """By the browser itself: it tells of the page that it shows, and of its end."""
    redis_socket = next((served.folder / "redis").glob("*.sock"), None)
    assert redis_socket is not None
    redis = Redis(unix_socket_path=str(redis_socket))
    redis.delete("agents:there")
    desk = context.new_page()
    log_in(desk, served, "wangfang", "agent_wangfang_password")
    desk.goto(f"{served.url}/desk/")
    wait_until(lambda: redis.zcard("agents:there") == 1, what="the open page is known")
    open_phone(page, served, verified=True)
    write(page, "转人工")
    expect(last_bubble(page)).to_contain_text("已为您转接人工客服")

    desk.goto("about:blank")
    wait_until(lambda: redis.zcard("agents:there") == 0, what="the closed page is known")
    open_phone(page, served, verified=True)
    write(page, "转人工")
    expect(last_bubble(page)).to_contain_text("人工客服上线后")


def test_the_wire_shows_both_sides_of_a_push(page: Page, served: Served) -> None:
    open_phone(page, served, verified=True)
    write(page, "运费多少钱")
    expect(last_bubble(page)).to_contain_text("包邮")
    row = page.locator(".exchange.push").last
    row.click()
    expect(page.locator("body")).to_contain_text("<Encrypt>")
    expect(page.locator("body")).to_contain_text(re.compile("MsgType"))
