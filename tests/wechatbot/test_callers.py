"""Whom a request comes from decides what it is shown, and what is believed of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client, RequestFactory

from wechatbot import callers

LOCAL = {"host": "localhost:8000"}


@pytest.fixture(autouse=True)
def debug(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(callers._Said, "already", False)


def is_debug_page(answer: Any) -> bool:
    text = answer.content.decode()
    return "DEBUG = True" in text or "Traceback" in text or "URLconf" in text


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that fails."""

    def fail(*args: object) -> None:
        raise RuntimeError("a secret in a local variable")

    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.each_context", fail)


class TestDebugPages:
    def test_they_help_on_this_machine(self, db: None) -> None:
        assert is_debug_page(Client(headers=LOCAL).get("/no-such-page/"))

    @pytest.mark.parametrize("header", ["x-forwarded-for", "ngrok-trace-id", "via", "cf-ray"])
    def test_they_are_not_shown_through_a_proxy(self, db: None, header: str) -> None:
        answer = Client(headers={**LOCAL, header: "x"}).get("/no-such-page/")

        assert answer.status_code == 404
        assert not is_debug_page(answer)
        assert "没有找到这一页" in answer.content.decode()

    def test_an_error_shows_nothing_of_itself_through_a_proxy(self, db: None, broken: None) -> None:
        client = Client(
            raise_request_exception=False, headers={**LOCAL, "x-forwarded-for": "198.51.100.1"}
        )
        answer = client.get("/admin/login/")

        assert answer.status_code == 500
        assert "a secret" not in answer.content.decode()
        assert "页面出错了" in answer.content.decode()

    @pytest.mark.parametrize("accept", ["text/html", "text/plain"])
    def test_a_foreign_name_is_refused_without_settings_and_sources(
        self, db: None, accept: str
    ) -> None:
        answer = Client(headers={"host": "evil.example", "accept": accept}).get("/admin/login/")

        assert answer.status_code == 400
        assert answer.content == b"Bad Request"

    def test_an_allowed_foreign_name_sees_none_either(self, db: None, settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["shop.example.com"]
        assert not is_debug_page(Client(headers={"host": "shop.example.com"}).get("/no-such-page/"))


class TestTheLog:
    def test_it_says_once_that_a_proxy_speaks_to_us(
        self, db: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = Client(headers={**LOCAL, "x-forwarded-for": "198.51.100.1"})
        with caplog.at_level(logging.WARNING, logger="wechatbot.callers"):
            for _ in range(3):
                client.get("/admin/login/")

        [line] = [record for record in caplog.records if record.name == "wechatbot.callers"]
        assert "A proxy speaks to us: set PUBLIC_URL" in line.getMessage()

    @pytest.mark.parametrize(
        ("is_local", "headers"), [(True, {}), (False, {"x-forwarded-for": "198.51.100.1"})]
    )
    def test_it_says_nothing_where_all_is_well(
        self,
        db: None,
        caplog: pytest.LogCaptureFixture,
        settings: Any,
        is_local: bool,
        headers: dict[str, str],
    ) -> None:
        settings.IS_LOCAL = is_local
        with caplog.at_level(logging.WARNING, logger="wechatbot.callers"):
            Client(headers={**LOCAL, **headers}).get("/admin/login/")

        assert not [record for record in caplog.records if record.name == "wechatbot.callers"]


@pytest.mark.parametrize(
    ("peer", "believed"), [("127.0.0.1", True), ("::1", True), ("198.51.100.1", False)]
)
def test_https_is_believed_from_a_trusted_proxy_only(
    peer: str, believed: bool, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"x-forwarded-proto": "https"})

    callers._meet(request)

    assert request.is_secure() is believed
