from __future__ import annotations

import logging
import socket
import ssl
import traceback

import pytest
import requests
import responses
from pytest_django import Settings
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, SSLError

from tests.worlds.api_server import Answer, ApiServer, Fault
from wechat import errors, wire
from wechat.client import WeChatAPI
from wechat.models import OfficialAccount

OPENID = "oia2TjjewbmiOUlr6X-1crbLOvLw"
ACCOUNT = OfficialAccount(
    slug="shop", app_id="wx1234567890abcdef", app_secret="the-secret-of-the-shop"
)


def api() -> WeChatAPI:
    return WeChatAPI(ACCOUNT)


def refusal(code: int, message: str = "no rid: 61a2-77bc-0d1e") -> dict[str, object]:
    return {"errcode": code, "errmsg": message}


# --- What is sent -------------------------------------------------------------------------------


def test_it_sends_a_text(wechat: ApiServer) -> None:
    api().send_text(OPENID, "支持七天无理由退货 😀")
    assert wechat.tried[0].token == "token-1"
    assert wechat.tried[0].json == {
        "touser": OPENID,
        "msgtype": "text",
        "text": {"content": "支持七天无理由退货 😀"},
    }


def test_it_sends_chinese_as_it_is(wechat: ApiServer) -> None:
    api().send_text(OPENID, "您好😀")
    assert "您好😀".encode() in wechat.tried[0].body
    assert b"\\u" not in wechat.tried[0].body


def test_it_sends_no_control_characters(wechat: ApiServer) -> None:
    api().send_text(OPENID, "您\x00好\ud83d")
    assert wechat.tried[0].json["text"]["content"] == "您好"


def test_it_shows_that_somebody_types(wechat: ApiServer) -> None:
    api().typing(OPENID)
    assert wechat.calls[0].path == "/cgi-bin/message/custom/typing"
    assert wechat.calls[0].json == {"touser": OPENID, "command": "Typing"}


def test_parts_of_wechatpy_that_name_the_host_in_full_stay_with_our_url(wechat: ApiServer) -> None:
    api().get("https://api.weixin.qq.com/cgi-bin/getcallbackip")
    assert wechat.calls[0].path == "/cgi-bin/getcallbackip"


@responses.activate
def test_every_request_has_both_time_limits_and_goes_to_the_base_url(settings: Settings) -> None:
    settings.WECHAT_API_URL = "https://wechat.example.com"
    base = "https://wechat.example.com/cgi-bin"
    responses.post(f"{base}/stable_token", json={"access_token": "t1", "expires_in": 7200})
    responses.post(f"{base}/message/custom/send", json={"errcode": 0})
    responses.post(f"{base}/message/custom/typing", json={"errcode": 0})
    api().send_text(OPENID, "您好")
    api().typing(OPENID)
    limits = [vars(call.request)["req_kwargs"]["timeout"] for call in responses.calls]
    assert limits == [wire.TIMEOUT] * 3
    assert all(seconds > 0 for seconds in wire.TIMEOUT)


def test_all_clients_share_one_session() -> None:
    assert wire.shared_session() is wire.shared_session()
    assert wire.shared_session().trust_env is False


# --- What WeChat refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error", "try_again"),
    [
        (-1, errors.WeChatBusy, True),
        (40013, errors.WrongKeys, False),
        (40125, errors.WrongKeys, False),
        (41002, errors.WrongKeys, False),
        (41004, errors.WrongKeys, False),
        (40164, errors.IpNotAllowed, False),
        (89503, errors.IpNotAllowed, False),
        (89506, errors.IpNotAllowed, False),
        (89507, errors.IpNotAllowed, False),
        (40243, errors.AccountFrozen, False),
        (50002, errors.AccountFrozen, False),
        (50004, errors.AccountFrozen, False),
        (50007, errors.AccountFrozen, False),
        (40003, errors.WrongCustomer, False),
        (43004, errors.NotFollowing, False),
        (50005, errors.NotFollowing, False),
        (43019, errors.CustomerRefuses, False),
        (43101, errors.CustomerRefuses, False),
        (48002, errors.CustomerRefuses, False),
        (45015, errors.WindowClosed, False),
        (45047, errors.QuotaUsedUp, False),
        (45002, errors.TextTooLong, False),
        (45008, errors.WeChatRefused, False),
        (45009, errors.DailyCallsUsedUp, False),
        (45011, errors.TooManyCalls, True),
        (40004, errors.BadMedia, False),
        (40007, errors.BadMedia, False),
        (40200, errors.KindNotAllowed, False),
        (40033, errors.BadText, False),
        (47001, errors.BadText, False),
        (48001, errors.ApiNotGranted, False),
        (48004, errors.ApiBanned, False),
        (48006, errors.WeChatRefused, False),
        (41001, errors.WeChatRefused, False),
        (45080, errors.TypingRefused, False),
        (61459, errors.DeskRefused, False),
        (65400, errors.DeskRefused, False),
        (70000, errors.WeChatRefused, False),
        (999999, errors.WeChatRefused, False),
    ],
)
def test_a_refusal_has_a_name(
    wechat: ApiServer, code: int, error: type[errors.WeChatError], try_again: bool
) -> None:
    wechat.answers.append(refusal(code))
    with pytest.raises(errors.WeChatError) as raised:
        api().send_text(OPENID, "您好")
    assert type(raised.value) is error
    assert (raised.value.code, raised.value.rid, raised.value.try_again) == (
        code,
        "61a2-77bc-0d1e",
        try_again,
    )
    assert len(wechat.tried) == 1


def test_a_refusal_is_logged_with_its_rid(
    wechat: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    wechat.answers.append(refusal(45015))
    with pytest.raises(errors.WindowClosed):
        api().send_text(OPENID, "您好")
    assert "45015" in caplog.text
    assert "61a2-77bc-0d1e" in caplog.text


def test_a_daily_limit_counts_as_too_many_calls() -> None:
    assert issubclass(errors.DailyCallsUsedUp, errors.TooManyCalls)


def test_an_address_that_is_not_allowed_is_named() -> None:
    error = errors.named(
        40164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 1-2-3"
    )
    assert isinstance(error, errors.IpNotAllowed)
    assert error.ip == "203.0.113.9"
    assert errors.IpNotAllowed(89503, "please contact the administrator").ip == ""


# --- What goes wrong on the way -----------------------------------------------------------------


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def token(wechat: ApiServer) -> None:
    """The token is there already: what fails is the call itself."""
    assert api().access_token == "token-1"


@pytest.mark.usefixtures("token")
def test_no_connection_is_worth_another_try(settings: Settings) -> None:
    settings.WECHAT_API_URL = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(errors.WeChatUnreachable) as raised:
        api().send_text(OPENID, "您好")
    assert raised.value.try_again


@pytest.mark.usefixtures("token")
def test_an_unknown_host_is_worth_another_try(settings: Settings) -> None:
    settings.WECHAT_API_URL = "http://no-such-host.invalid"
    with pytest.raises(errors.WeChatUnreachable):
        api().send_text(OPENID, "您好")


@pytest.mark.usefixtures("token")
def test_a_text_without_an_answer_is_never_sent_again(
    wechat: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT", (1.0, 0.1))
    wechat.answers.append(Fault.HANG)
    with pytest.raises(errors.OutcomeUnknown) as raised:
        api().send_text(OPENID, "您好")
    assert not raised.value.try_again
    assert len(wechat.tried) == 1


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    "answer",
    [
        Fault.HANG_UP,
        (502, b"bad gateway"),
        (503, b"service temporarily unavailable"),
        (503, {"errcode": -1, "errmsg": "system error"}),
        (500, {}),
        (200, b"<html>login</html>"),
        (200, b""),
        {},
        [],
        {"errcode": "no"},
    ],
)
def test_an_unreadable_answer_to_a_text_leaves_its_outcome_unknown(
    wechat: ApiServer, answer: Answer
) -> None:
    wechat.answers.append(answer)
    with pytest.raises(errors.OutcomeUnknown):
        api().send_text(OPENID, "您好")
    assert len(wechat.tried) == 1


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    "answer",
    [
        Fault.HANG_UP,
        (502, b"bad gateway"),
        (503, b""),
        (200, b"<html>login</html>"),
        {"errcode": "no"},
    ],
)
def test_typing_may_be_tried_again_whatever_happened(wechat: ApiServer, answer: Answer) -> None:
    wechat.answers.append(answer)
    with pytest.raises(errors.WeChatUnreachable):
        api().typing(OPENID)


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, errors.WeChatBusy),
        (404, errors.WeChatRefused),
        (302, errors.WeChatRefused),
    ],
)
def test_a_status_that_says_nothing_was_done_is_named(
    wechat: ApiServer, status: int, error: type[errors.WeChatError]
) -> None:
    wechat.answers.append((status, b""))
    with pytest.raises(error):
        api().send_text(OPENID, "您好")
    assert len(wechat.tried) == 1


@responses.activate
@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (ssl.SSLCertVerificationError("certificate has expired"), errors.WeChatUnreachable),
        (ssl.SSLEOFError("cut in the middle"), errors.OutcomeUnknown),
    ],
)
def test_a_bad_certificate_stops_before_anything_is_sent(
    settings: Settings, cause: ssl.SSLError, error: type[errors.WeChatError]
) -> None:
    settings.WECHAT_API_URL = "https://wechat.example.com"
    base = "https://wechat.example.com/cgi-bin"
    responses.post(f"{base}/stable_token", json={"access_token": "t1", "expires_in": 7200})
    pool = HTTPSConnectionPool("wechat.example.com")
    failure = requests.exceptions.SSLError(MaxRetryError(pool, "/", SSLError(cause)))
    responses.post(f"{base}/message/custom/send", body=failure)
    with pytest.raises(error):
        api().send_text(OPENID, "您好")


# --- Secrets ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("token")
def test_neither_token_nor_secret_is_in_an_error_or_a_log(
    wechat: ApiServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told = []
    for url, answer in (
        (wechat.url, refusal(45015)),
        (wechat.url, Fault.HANG_UP),
        ("http://127.0.0.1:1", None),
    ):
        settings.WECHAT_API_URL = url
        if answer is not None:
            wechat.answers.append(answer)
        with pytest.raises(errors.WeChatError) as raised:
            api().send_text(OPENID, "您好")
        told.append("".join(traceback.format_exception(raised.value)) + repr(raised.value))
    assert len(told) == 3
    for text in (*told, caplog.text):
        assert "token-1" not in text
        assert ACCOUNT.app_secret not in text
