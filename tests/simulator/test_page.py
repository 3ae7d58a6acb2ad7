from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.test import Client

from simulator import phone, wire
from simulator.models import Bubble, Exchange, Fault, Follower, Outcome
from simulator.texts import page_texts
from wechat.models import OfficialAccount

pytestmark = pytest.mark.django_db


def start_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="start" type="application/json">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found.group(1))


def test_a_newcomer_sees_three_questions_and_where_to_go(
    client: Client, our_account: OfficialAccount
) -> None:
    html = client.get("/simulator/").content.decode()
    for words in ("怎么退货", "我的订单到哪了", "转人工", our_account.name, "/admin/"):
        assert words in html
    assert start_of(html)["state"]["chosen"] is None


def test_the_page_starts_with_what_happened_before(client: Client, follower: Follower) -> None:
    phone.show_own(follower, "怎么退货")
    state = start_of(client.get("/simulator/").content.decode())["state"]
    assert state["chosen"] == follower.pk
    assert [bubble["pieces"] for bubble in state["bubbles"]] == [[{"text": "怎么退货"}]]


def test_words_of_a_customer_cannot_end_the_script(client: Client, follower: Follower) -> None:
    phone.show_own(follower, "</script><script>alert(1)</script>")
    assert "<script>alert(1)" not in client.get("/simulator/").content.decode()


def test_each_customer_has_a_phone_and_a_wire_of_their_own(
    client: Client, follower: Follower
) -> None:
    other = Follower.objects.create(openid="oOther", name="陈一鸣", following=True)
    phone.show_own(follower, "我的")
    for owner in (follower, other, None):
        Exchange.objects.create(
            follower=owner, kind="push", label=str(owner), method="POST", url="http://x"
        )
    state = client.get("/simulator/state/", {"customer": other.pk}).json()
    assert state["bubbles"] == []
    assert [exchange["label"] for exchange in state["exchanges"]] == ["陈一鸣", "None"]


def test_an_exchange_shows_both_sides(client: Client, follower: Follower) -> None:
    row = Exchange.objects.create(
        follower=follower,
        kind="push",
        label="text",
        method="POST",
        url="http://x",
        request_clear="<xml>甲</xml>",
        request_wire="<xml>乙</xml>",
    )
    detail = client.get(f"/simulator/exchanges/{row.pk}/").json()
    assert (detail["request_clear"], detail["request_wire"]) == ("<xml>甲</xml>", "<xml>乙</xml>")
    assert client.get("/simulator/exchanges/0/").status_code == 404


def test_the_phone_keeps_its_last_bubbles_only(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "KEPT_BUBBLES", 5)
    for number in range(60):
        phone.show_own(follower, str(number))
    texts = list(Bubble.objects.values_list("text", flat=True))
    assert len(texts) < 26
    assert texts[-5:] == ["55", "56", "57", "58", "59"]


def test_the_wire_keeps_its_last_rows_only(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "KEPT_EXCHANGES", 5)
    for number in range(60):
        call = wire.Call(
            "token", "GET", "/x", str(number), "", 200, Outcome.OK, None, None, "", 0.0
        )
        wire.record_call(call)
    assert Exchange.objects.count() < 27
    assert Exchange.objects.order_by("-pk")[0].request_wire == "59"


def test_every_code_has_words_for_the_page() -> None:
    texts = page_texts()
    javascript = "".join(path.read_text() for path in simulator_files("*.js"))
    used = set(re.findall(r'word\(\s*"(\w+)"', javascript))
    assert used
    assert used <= set(texts)
    outcomes = texts["outcomes"]
    assert isinstance(outcomes, dict)
    assert set(outcomes) == set(Outcome.values)


def test_there_is_a_switch_for_every_fault(client: Client) -> None:
    html = client.get("/simulator/").content.decode()
    assert set(re.findall(r'data-fault="(\w+)"', html)) == set(Fault.values)


def test_the_page_needs_nothing_from_elsewhere(client: Client) -> None:
    html = client.get("/simulator/").content.decode()
    local = re.findall(r'(?:src|href)="/static/([^"]+)"', html)
    assert local
    assert all(finders.find(name) for name in local)
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', html)
    assert all(address.startswith("/static/") for address in loaded)
    for path in simulator_files("*.css"):
        assert "http" not in path.read_text()


def simulator_files(pattern: str) -> list[Path]:
    return list((django_settings.BASE_DIR / "static" / "simulator").glob(pattern))
