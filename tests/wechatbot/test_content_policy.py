"""A page never runs a script that stands in the page itself, whoever wrote its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
INLINE_SCRIPT = re.compile(r"<script(?![^>]*(?:\bsrc=|application/json))", re.IGNORECASE)
INLINE_HANDLER = re.compile(r"""\son[a-z]{2,20}=["']""", re.IGNORECASE)


def policy_of(client: Client, address: str) -> dict[str, list[str]]:
    header = client.get(address)["Content-Security-Policy"]
    directives = [directive.split() for directive in header.split(";")]
    return {name: sources for name, *sources in directives}


def test_a_page_runs_and_loads_only_what_is_ours(client: Client) -> None:
    policy = policy_of(client, reverse("simulator:page"))

    assert policy["default-src"] == ["'none'"]
    for directive in ("script-src", "style-src", "connect-src", "form-action"):
        assert policy[directive] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]


def test_the_theme_of_the_admin_may_evaluate_but_run_nothing_inline(admin_client: Client) -> None:
    policy = policy_of(admin_client, reverse("admin:index"))

    assert set(policy["script-src"]) == {"'self'", "'unsafe-eval'"}
    assert policy["connect-src"] == ["'self'"]


def test_an_error_page_has_the_policy_too(client: Client) -> None:
    assert policy_of(client, "/nothing")["script-src"] == ["'self'"]


def test_no_template_of_ours_holds_an_inline_script() -> None:
    inline = [
        str(template.relative_to(TEMPLATES))
        for template in TEMPLATES.rglob("*.html")
        for pattern in (INLINE_SCRIPT, INLINE_HANDLER)
        if pattern.search(template.read_text(encoding="utf-8"))
    ]

    assert inline == []


def test_what_a_customer_writes_is_text_on_every_page(admin_client: Client) -> None:
    message = MessageFactory(text="<script>alert(1)</script><img src=x onerror=alert(1)>")
    page = reverse("admin:conversations_message_change", args=[message.pk])

    html = admin_client.get(page).content.decode()

    assert "<script>alert" not in html
    assert "<img src=x" not in html
