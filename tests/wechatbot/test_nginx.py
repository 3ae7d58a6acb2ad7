"""Debian's nginx with docker/nginx.conf as it is, before the served project: callback, pages,
WebSocket.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.services.nginx import start_nginx
from tests.services.process import Process
from tests.stack import Stack, free_port
from tests.worlds.poster import Poster

pytestmark = [pytest.mark.system, pytest.mark.nginx, pytest.mark.timeout(120)]

PASSWORD = "a long password for one test"
MAKE_STAFF = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("staff", password="{PASSWORD}")
"""


@dataclass(frozen=True)
class Site:
    stack: Stack
    nginx: Process
    port: int
    http_port: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def customer(self) -> Poster:
        return Poster(lambda: [self.url], self.stack.account, tls=self.tls)

    def log_in(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = (
            False  # Else a bundle named in the environment would replace our certificate.
        )
        session.verify = str(self.certificate)
        page = session.get(f"{self.url}/admin/login/", timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None
        answer = session.post(
            f"{self.url}/admin/login/?next=/admin/",
            data={"csrfmiddlewaretoken": token[1], "username": "staff", "password": PASSWORD},
            headers={"Referer": f"{self.url}/admin/login/", "Origin": self.url},
            timeout=10,
        )
        assert answer.url == f"{self.url}/admin/"
        return session


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    port, http_port = free_port(), free_port()
    environment = {"SIMULATOR": "true", "PUBLIC_URL": f"https://localhost:{port}"}
    with Stack(with_model=False, environment=environment) as stack:
        stack.manage("import_faqs", "wechatbot/demo/faqs.csv")
        stack.shell(MAKE_STAFF)
        nginx = start_nginx(stack.folder / "nginx", stack.ports, port, http_port)
        yield Site(stack, nginx, port, http_port, stack.folder / "nginx/certificates/fullchain.pem")
        nginx.stop()


@pytest.mark.parametrize("path", ["/wechat", "/wechat/"])
def test_it_carries_a_push_and_its_reply(site: Site, path: str) -> None:
    customer = site.customer()
    customer.path = path

    outcome = customer.say(f"oThroughNginx{len(path)}", "怎么退货")

    assert outcome.text is not None
    assert "7 天内" in outcome.text
    assert len(outcome.deliveries) == 1


def test_it_refuses_a_body_that_is_no_push(site: Site) -> None:
    answer = requests.post(
        f"{site.url}/wechat", data=b"x" * 70_000, verify=str(site.certificate), timeout=10
    )

    assert answer.status_code == 413


def test_it_serves_pages_and_their_style_over_https_only(site: Site) -> None:
    plain = requests.get(
        f"http://127.0.0.1:{site.http_port}/admin/", allow_redirects=False, timeout=10
    )
    assert plain.status_code == 308
    assert plain.headers["Location"] == "https://127.0.0.1/admin/"

    session = site.log_in()
    page = session.get(f"{site.url}/admin/", timeout=10)
    style = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert style is not None
    answer = session.get(site.url + style[1], timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/css")


def test_it_carries_the_websocket_of_who_is_logged_in(site: Site) -> None:
    session = site.log_in()
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    address = f"wss://localhost:{site.port}/ws/simulator/"

    with connect(
        address, ssl=site.tls, origin=site.url, additional_headers={"Cookie": cookies}
    ) as line:
        assert json.loads(line.recv(timeout=10)) == {"type": "ready"}
    with connect(address, ssl=site.tls, origin=site.url) as line, pytest.raises(ConnectionClosed):
        line.recv(timeout=10)


def test_it_lets_one_address_try_few_passwords_but_read_the_form_at_will(site: Site) -> None:
    """Past the burst nginx answers by itself: the product is not asked."""
    login, certificate = f"{site.url}/admin/login/", str(site.certificate)
    tries = [
        requests.post(login, data={"username": "x"}, verify=certificate, timeout=10)
        for _ in range(15)
    ]
    forms = [requests.get(login, verify=certificate, timeout=10) for _ in range(15)]

    assert {answer.status_code for answer in tries} == {403, 429}  # 403: no CSRF token.
    assert "登录太频繁" in tries[-1].text
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert {answer.status_code for answer in forms} == {200}


def test_it_closes_without_a_word_when_no_web_process_answers(site: Site) -> None:
    """WeChat would show a page of ours as a failure; a closed connection makes it come again."""
    site.stack.webs[0].kill()
    try:
        customer = site.customer()
        delivery = customer.deliver(customer.text("oNobodyHome", "怎么退货"))
        page = requests.get(f"{site.url}/admin/", verify=str(site.certificate), timeout=10)
    finally:
        site.stack.webs[0].start()
        site.stack.wait_until_ready()

    assert delivery.status is None
    assert page.status_code == 502


def test_its_log_names_no_customer(site: Site) -> None:
    customer = site.customer()
    customer.say("oSecretName", "怎么退货")
    site.stack.webs[0].kill()
    try:
        customer.deliver(customer.text("oSecretName", "怎么退货"))
    finally:
        site.stack.webs[0].start()
        site.stack.wait_until_ready()

    assert '"POST /wechat" 502' in site.nginx.words or '"POST /wechat" 444' in site.nginx.words
    assert "oSecretName" not in site.nginx.words
