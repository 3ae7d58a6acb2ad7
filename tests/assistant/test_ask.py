from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from common.fresh import forget_all
from knowledge.models import FAQ
from llm import gateway
from tests.faqs import RETURNS
from tests.worlds.model_stub import ModelStub
from wechat import accounts

pytestmark = pytest.mark.usefixtures("no_model_is_configured")


def test_it_prints_answer_source_confidence_and_what_came_close(
    shop: dict[str, FAQ], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("ask", "怎么申请退货", account="shop")
    printed = capsys.readouterr().out
    assert printed.startswith(RETURNS[1])
    assert "source      faq" in printed
    assert "confidence" in printed
    assert RETURNS[0] in printed


def test_it_asks_the_model_where_there_is_one(
    shop: dict[str, FAQ], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gateway, "complete", ModelStub({"answer": "属虎。", "can_answer": True}))
    call_command("ask", "你们公司的老板属什么生肖", account="shop")
    printed = capsys.readouterr().out
    assert printed.startswith("属虎。")
    assert "source      model" in printed


def test_it_prints_a_menu_as_people_see_it(
    shop: dict[str, FAQ], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("ask", "退货申请在哪里", account="shop")
    printed = capsys.readouterr().out
    assert f"1. {RETURNS[0]}" in printed
    assert "weixin://" not in printed


def test_it_fails_clearly_when_there_is_no_answer(shop: dict[str, FAQ]) -> None:
    with pytest.raises(CommandError, match="nothing_matched"):
        call_command("ask", "你们公司的老板属什么生肖", account="shop")


def test_it_fails_clearly_without_a_question_or_an_account(shop: dict[str, FAQ]) -> None:
    with pytest.raises(CommandError, match="empty"):
        call_command("ask", "  ")
    with pytest.raises(CommandError, match=r"Known: .*shop"):
        call_command("ask", "怎么退货", account="nobody")


def test_it_names_the_way_out_when_the_database_is_not_ready(
    shop: dict[str, FAQ], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DatabaseError("no such table")

    monkeypatch.setattr(accounts, "ensure_from_environment", fail)
    with pytest.raises(CommandError, match=r"manage\.py prepare"):
        call_command("ask", "怎么退货")


def test_it_works_while_no_redis_runs(
    shop: dict[str, FAQ], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away() -> None:
        raise ConnectionError("no redis here")

    for module in (
        "common.fresh",
        "knowledge.versions",
        "knowledge.cache",
    ):
        monkeypatch.setattr(f"{module}.redis", away)
    forget_all()
    call_command("ask", "怎么申请退货", account="shop")
    assert capsys.readouterr().out.startswith(RETURNS[1])
