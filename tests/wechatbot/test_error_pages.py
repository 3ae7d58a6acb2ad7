"""Who meets an error reads what happened, in the product's look, with a way back; the log has one
line.
"""

from __future__ import annotations

import logging
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.log import DEFAULT_LOGGING
from django.views.defaults import server_error

from wechatbot.logs import WithoutRefusalTracebacks


@pytest.fixture
def newcomer(db: None) -> Client:
    """Staff without any permission."""
    client = Client()
    client.force_login(User.objects.create_user("xiaochen", password="x", is_staff=True))
    return client


@pytest.mark.parametrize(
    ("language", "words", "way"),
    [
        ("zh-hans", "没有权限打开这一页", "回到管理后台"),
        ("en", "You may not open this page", "Back to the admin"),
    ],
)
def test_it_tells_staff_without_rights_whose_login_lacks_them(
    newcomer: Client, language: str, words: str, way: str
) -> None:
    address = reverse("admin:llm_languagemodel_changelist")
    response = newcomer.get(address, headers={"accept-language": language})
    found = response.content.decode()
    assert response.status_code == 403
    for expected in (
        words,
        "xiaochen",
        way,
        f'href="{reverse("admin:index")}"',
        "common/tokens.css",
    ):
        assert expected in found


def test_it_leads_back_from_an_address_that_is_not_there(newcomer: Client) -> None:
    response = newcomer.get("/admin/nothing/here/")
    assert response.status_code == 404
    assert "没有找到这一页" in response.content.decode()


def test_it_says_that_an_outdated_form_was_not_saved(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("admin:login"), {"username": "x"})
    assert response.status_code == 403
    assert "没有保存这次操作" in response.content.decode()


def test_it_draws_the_page_of_a_broken_server_without_the_database() -> None:
    # No database mark: a query would fail this test.
    with translation.override("zh-hans"):
        response = server_error(RequestFactory().get("/admin/"))
    assert response.status_code == 500
    assert "页面出错了" in response.content.decode()


class TestTheLog:
    def record(self, status: int) -> logging.LogRecord:
        try:
            raise PermissionDenied
        except PermissionDenied:
            error = sys.exc_info()
        record = logging.LogRecord(
            "django.request", logging.WARNING, __file__, 1, "Forbidden: /x", (), error
        )
        record.status_code = status
        return record

    @pytest.mark.parametrize("status", [400, 403, 404])
    def test_it_writes_a_refusal_as_one_line(self, status: int) -> None:
        record = self.record(status)
        assert WithoutRefusalTracebacks().filter(record)
        assert logging.Formatter().format(record) == "Forbidden: /x"

    def test_it_keeps_the_traceback_of_an_error(self) -> None:
        record = self.record(500)
        assert WithoutRefusalTracebacks().filter(record)
        assert "Traceback" in logging.Formatter().format(record)

    def test_it_writes_each_line_once(self) -> None:
        """Django sets up its own handlers first; ours take their place."""
        assert DEFAULT_LOGGING["loggers"]["django"]["handlers"]
        assert settings.LOGGING["loggers"]["django"]["handlers"] == []
        assert not logging.getLogger("django").handlers
