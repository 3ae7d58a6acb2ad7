"""Through a second host name, as a tunnel or a domain gives it: DEBUG is off, pages of staff ask
for a login.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.served import OTHER_HOST as HOST
from tests.browser.served import Served, serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def behind_a_tunnel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("tunnel")
    process, product = serve(folder, PUBLIC_URL=f"https://{HOST}")
    yield product
    process.stop(timeout=10)


def test_by_its_local_name_the_simulator_asks_for_a_login_that_works(
    page: Page, behind_a_tunnel: Served
) -> None:
    """Plain http, where the browser would never send back a Secure cookie of ours."""
    page.goto(f"{behind_a_tunnel.url}/simulator/")
    expect(page).to_have_url(re.compile("/admin/login/"))
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(behind_a_tunnel.password_of("admin_password"))
    page.locator("button[type=submit]").first.click()
    expect(page.locator("#phone")).to_be_visible()


def test_the_admin_login_works_with_the_origin_and_scheme_of_the_tunnel(
    behind_a_tunnel: Served,
) -> None:
    """As the tunnel forwards it: Host and Origin of the public name, https in a header, http on the
    wire.
    """
    session = requests.Session()
    seen_by_world = {"Host": HOST, "X-Forwarded-Proto": "https", "Origin": f"https://{HOST}"}
    page = session.get(f"{behind_a_tunnel.url}/admin/login/", headers=seen_by_world, timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    answer = session.post(
        f"{behind_a_tunnel.url}/admin/login/?next=/admin/",
        data={
            "csrfmiddlewaretoken": token[1],
            "username": "admin",
            "password": behind_a_tunnel.password_of("admin_password"),
        },
        headers={
            **seen_by_world,
            "Referer": f"https://{HOST}/admin/login/",
            "Cookie": _cookies(page),
        },
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 302
    [session_cookie] = [cookie for cookie in answer.cookies if cookie.name == "wechatbot_session"]
    assert session_cookie.secure


def _cookies(answer: requests.Response) -> str:
    """The session's own jar would not send cookies of the public name to 127.0.0.1."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in answer.cookies)


def test_another_host_name_is_refused(behind_a_tunnel: Served) -> None:
    answer = requests.get(
        f"{behind_a_tunnel.url}/admin/login/", headers={"Host": "evil.example"}, timeout=10
    )
    assert answer.status_code == 400


def test_no_page_shows_a_traceback(behind_a_tunnel: Served) -> None:
    answer = requests.get(
        f"{behind_a_tunnel.url}/no-such-page/", headers={"Host": HOST}, timeout=10
    )
    assert answer.status_code == 404
    assert "URLconf" not in answer.text
