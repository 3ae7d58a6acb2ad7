"""The simulated WeChat API, called as anybody's client would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from simulator import api as api_module
from simulator.credentials import credentials
from simulator.models import AccessToken, Bubble, Exchange, Follower, Outcome, SimulatedAccount

API = "/simulator/api/cgi-bin"
Call = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    """Without cookies and with CSRF checks on, as a server of this machine calls."""
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1:8000"})

    def post(path: str, given: object, **query: str) -> dict[str, Any]:
        body = given if isinstance(given, bytes) else json.dumps(given, ensure_ascii=False).encode()
        answer = client.post(
            f"{API}/{path}", body, content_type="application/json", query_params=query
        )
        assert answer.status_code == 200
        return answer.json()

    return post


def keys(**changed: str) -> dict[str, Any]:
    ours = credentials()
    return {
        "grant_type": "client_credential",
        "appid": ours.app_id,
        "secret": ours.secret,
    } | changed


@pytest.fixture
def token(call: Call) -> str:
    return call("stable_token", keys())["access_token"]


@pytest.fixture
def send(call: Call, token: str, follower: Follower) -> Call:
    def text(content: str = "您好", **changed: Any) -> dict[str, Any]:
        given = {
            "touser": follower.openid,
            "msgtype": "text",
            "text": {"content": content},
        } | changed
        return call("message/custom/send", given, access_token=token)

    return text


# --- tokens ---


def test_the_stable_token_stays_the_same(call: Call) -> None:
    first = call("stable_token", keys())
    again = call("stable_token", keys())
    assert first["access_token"] == again["access_token"]
    assert 7100 < again["expires_in"] <= 7200


def test_the_stable_token_is_replaced_in_its_last_five_minutes(call: Call, token: str) -> None:
    soon = timezone.now() + timedelta(minutes=4)
    AccessToken.objects.update(expires_at=soon, valid_until=soon)
    newer = call("stable_token", keys())["access_token"]
    assert newer != token
    assert "errcode" not in call_ip(token)


def test_a_forced_refresh_ends_the_old_token_at_once(call: Call, token: str) -> None:
    AccessToken.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    newer = call("stable_token", keys() | {"force_refresh": True})["access_token"]
    assert newer != token
    assert call_ip(token)["errcode"] == 40001
    assert "errcode" not in call_ip(newer)


def test_a_second_forced_refresh_within_30_seconds_changes_nothing(call: Call, token: str) -> None:
    assert call("stable_token", keys() | {"force_refresh": True})["access_token"] == token


def test_each_normal_token_is_new_and_the_one_before_lives_five_minutes(client: Client) -> None:
    first = client.get(f"{API}/token", keys()).json()["access_token"]
    second = client.get(f"{API}/token", keys()).json()["access_token"]
    assert first != second
    assert "errcode" not in call_ip(first)
    AccessToken.objects.filter(value=first).update(valid_until=timezone.now())
    assert call_ip(first)["errcode"] == 40001


def test_the_two_endpoints_have_a_token_each(call: Call, client: Client, token: str) -> None:
    client.get(f"{API}/token", keys())
    assert call("stable_token", keys())["access_token"] == token


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"grant_type": "authorization_code"}, 40002),
        ({"appid": "wxother"}, 40013),
        ({"secret": "wrong"}, 40125),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
    ],
)
def test_it_gives_no_token_for_wrong_keys(call: Call, changed: dict[str, str], code: int) -> None:
    assert call("stable_token", keys(**changed))["errcode"] == code


def call_ip(token: str) -> dict[str, Any]:
    return (
        Client(headers={"host": "127.0.0.1:8000"})
        .get(f"{API}/getcallbackip", {"access_token": token} if token else {})
        .json()
    )


def test_it_wants_a_token_that_it_gave_out(token: str) -> None:
    assert call_ip("")["errcode"] == 41001
    assert call_ip("made-up")["errcode"] == 40001
    assert call_ip(token) == {"ip_list": ["127.0.0.1"]}


def test_an_old_token_has_expired(token: str) -> None:
    AccessToken.objects.update(expires_at=timezone.now(), valid_until=timezone.now())
    assert call_ip(token)["errcode"] == 42001


def test_an_error_carries_a_request_id(call: Call) -> None:
    message = call("stable_token", keys(secret="wrong"))["errmsg"]
    assert re.search(r"rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$", message)


# --- messages ---


def test_a_message_appears_on_the_phone(send: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    assert send("您的订单已发货。") == {"errcode": 0, "errmsg": "ok"}
    bubble = Bubble.objects.get()
    assert (bubble.side, bubble.channel, bubble.text) == ("account", "api", "您的订单已发货。")


def test_it_closes_the_window_after_48_hours(send: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now() - timedelta(hours=48))
    assert send()["errcode"] == 45015
    assert not Bubble.objects.exists()


def test_it_takes_five_messages_and_no_sixth(send: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    assert [send()["errcode"] for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    assert Bubble.objects.count() == 5


def test_an_unverified_account_may_not_send(
    send: Call, follower: Follower, account: SimulatedAccount
) -> None:
    SimulatedAccount.objects.update(verified=False)
    follower.open_message_window(timezone.now())
    assert send()["errcode"] == 48001
    assert not Bubble.objects.exists()


def test_it_counts_bytes_not_characters(send: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    assert send("长" * 682)["errcode"] == 0
    assert send("长" * 683)["errcode"] == 45002
    follower.refresh_from_db()
    assert follower.message_sends_left == 4


def test_it_knows_its_followers(send: Call, follower: Follower) -> None:
    assert send(touser="oNobody")["errcode"] == 40003
    follower.unfollow()
    assert send()["errcode"] == 43004


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"msgtype": "poem"}, 40008),
        ({"msgtype": ["text"]}, 40008),
        ({"text": None}, 44004),
        ({"text": {"content": ""}}, 44004),
        ({"text": {"content": 5}}, 44004),
        ({"msgtype": "msgmenu", "msgmenu": {"list": "no"}}, 47001),
    ],
)
def test_it_refuses_shapes_that_wechat_does_not_know(
    send: Call, follower: Follower, changed: dict[str, Any], code: int
) -> None:
    follower.open_message_window(timezone.now())
    assert send(**changed)["errcode"] == code


def test_a_menu_is_shown_with_links_to_tap(send: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    menu = {
        "head_content": "满意吗",
        "list": [{"id": "1", "content": "满意"}],
        "tail_content": "谢谢",
    }
    assert send(msgtype="msgmenu", msgmenu=menu)["errcode"] == 0
    assert "msgmenuid=1" in Bubble.objects.get().text


def test_machine_made_text_is_marked(send: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    send(aimsgcontext={"is_ai_msg": 1})
    assert Bubble.objects.get().ai_generated


@pytest.mark.parametrize(
    ("body", "code"), [(b"", 44002), (b"{", 47001), (b"[]", 47001), (b"\xff", 47001)]
)
def test_it_refuses_what_is_no_json_object(call: Call, token: str, body: bytes, code: int) -> None:
    assert call("message/custom/send", body, access_token=token)["errcode"] == code


def test_it_tells_get_from_post(client: Client, call: Call, token: str) -> None:
    assert (
        client.get(f"{API}/message/custom/send", {"access_token": token}).json()["errcode"] == 43002
    )
    assert call("getcallbackip", {}, access_token=token)["errcode"] == 43001
    assert call("no/such/thing", {}, access_token=token)["errcode"] == 40066


# --- typing ---


@pytest.fixture
def typing(call: Call, token: str, follower: Follower) -> Call:
    def show(command: str = "Typing") -> int:
        given = {"touser": follower.openid, "command": command}
        return call("message/custom/typing", given, access_token=token)["errcode"]

    return show


def test_typing_is_shown_once_until_it_is_cancelled(typing: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    assert [typing(), typing(), typing("CancelTyping"), typing()] == [0, 45081, 0, 0]


def test_typing_wants_a_fresh_exchange_and_a_known_command(
    typing: Call, follower: Follower
) -> None:
    assert typing() == 45015
    follower.open_message_window(timezone.now() - timedelta(seconds=31))
    assert typing() == 45080
    assert typing("Dance") == 45072


def test_a_message_ends_the_typing(typing: Call, send: Call, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    typing()
    send()
    follower.refresh_from_db()
    assert follower.typing_until is None


# --- quota ---


def test_it_counts_the_calls_of_the_day(
    call: Call, send: Call, token: str, follower: Follower
) -> None:
    follower.open_message_window(timezone.now())
    send()
    answer = call(
        "openapi/quota/get", {"cgi_path": "/cgi-bin/message/custom/send"}, access_token=token
    )
    assert answer["quota"] == {"daily_limit": 500_000, "used": 1, "remain": 499_999}


def test_it_has_no_quota_for_unknown_paths(call: Call, token: str) -> None:
    assert (
        call("openapi/quota/get", {"cgi_path": "/cgi-bin/nothing"}, access_token=token)["errcode"]
        == 76021
    )


# --- the wire and the faults ---


def test_every_call_is_on_the_wire_without_its_secrets(
    send: Call, token: str, follower: Follower
) -> None:
    follower.open_message_window(timezone.now())
    send("您好")
    taken, sent = Exchange.objects.order_by("pk")
    assert (taken.label, taken.follower, taken.outcome) == ("stable_token", None, Outcome.OK)
    assert (sent.label, sent.follower, sent.summary) == ("message/custom/send", follower, "您好")
    kept = " ".join([taken.request_wire, taken.response_wire, sent.url])
    assert credentials().secret not in kept
    assert token not in kept


def test_a_refusal_is_on_the_wire_with_its_code(send: Call, follower: Follower) -> None:
    send()
    row = Exchange.objects.order_by("pk").last()
    assert row is not None
    assert (row.outcome, row.errcode) == (Outcome.ERROR, 45015)


def test_a_token_is_refused_once_and_for_good(
    call: Call, token: str, account: SimulatedAccount
) -> None:
    SimulatedAccount.objects.update(refuse_token=True)
    assert call_ip(token)["errcode"] == 40001
    assert call_ip(token)["errcode"] == 40001
    assert not SimulatedAccount.current().refuse_token
    assert "errcode" not in call_ip(call("stable_token", keys())["access_token"])


def test_an_unreachable_api_does_nothing(client: Client, follower: Follower, token: str) -> None:
    SimulatedAccount.objects.update(api_down=True)
    follower.open_message_window(timezone.now())
    given = {"touser": follower.openid, "msgtype": "text", "text": {"content": "您好"}}
    answer = client.post(
        f"{API}/message/custom/send?access_token={token}", given, content_type="application/json"
    )
    assert answer.status_code == 503
    assert not Bubble.objects.exists()
    assert Exchange.objects.filter(outcome=Outcome.NOT_REACHED).count() == 1


def test_a_lost_answer_leaves_the_message_on_the_phone(
    client: Client, follower: Follower, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_module, "SILENCE_SECONDS", 0.0)
    SimulatedAccount.objects.update(lose_api_answer=True)
    follower.open_message_window(timezone.now())
    given = {"touser": follower.openid, "msgtype": "text", "text": {"content": "您好"}}
    answer = client.post(
        f"{API}/message/custom/send?access_token={token}", given, content_type="application/json"
    )
    assert answer.status_code == 504
    assert Bubble.objects.get().text == "您好"
    assert Exchange.objects.filter(outcome=Outcome.LOST).count() == 1


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("198.51.100.1", {"host": "127.0.0.1:8000"}),
        ("127.0.0.1", {"host": "127.0.0.1:8000", "x-forwarded-for": "198.51.100.1"}),
        ("127.0.0.1", {"host": "shop.example.com"}),
    ],
)
def test_it_is_not_there_for_the_world(peer: str, headers: dict[str, str], settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client = Client(REMOTE_ADDR=peer, headers=headers)

    answer = client.post(f"{API}/stable_token", json.dumps(keys()), content_type="application/json")

    assert answer.status_code == 404
    assert not AccessToken.objects.exists()
    assert not Exchange.objects.exists()


def test_it_is_open_to_our_client_where_pages_want_a_login(call: Call, settings: Any) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    assert "access_token" in call("stable_token", keys())
