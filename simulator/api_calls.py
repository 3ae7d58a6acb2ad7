"""The calls of the simulated WeChat API, each with the rules that WeChat keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from simulator import tokens
from simulator.api_errors import Refused
from simulator.api_messages import send_message, show_typing
from simulator.counts import calls_today
from simulator.credentials import credentials
from simulator.models import AccessToken, SimulatedAccount

DAILY_LIMITS = {"message/custom/send": 500_000, "stable_token": 500_000, "token": 2_000}
DEFAULT_DAILY_LIMIT = 5_000_000

Given = dict[str, Any]


@dataclass(frozen=True)
class ApiCall:
    """`needs_token`: all but the calls that hand one out."""

    method: str
    answer: Callable[[Given], Given]
    needs_token: bool = True
    needs_verified: bool = False


def get_token(given: Given) -> Given:
    _check_keys(given)
    return _token_json(tokens.new_token(timezone.now()))


def get_stable_token(given: Given) -> Given:
    _check_keys(given)
    return _token_json(
        tokens.stable_token(timezone.now(), force=given.get("force_refresh") is True)
    )


def get_callback_ip(given: Given) -> Given:
    return {"ip_list": ["127.0.0.1"]}


def get_quota(given: Given) -> Given:
    path = str(given.get("cgi_path", "")).removeprefix("/cgi-bin/").strip("/")
    if path not in CALLS:
        raise Refused(76021, "cgi_path not found, please check")
    limit, used = DAILY_LIMITS.get(path, DEFAULT_DAILY_LIMIT), calls_today(path)
    quota = {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}
    return {"errcode": 0, "errmsg": "ok", "quota": quota}


def _check_keys(given: Given) -> None:
    keys = credentials()
    if given.get("grant_type") != "client_credential":
        raise Refused(40002, "invalid grant_type")
    if not given.get("appid"):
        raise Refused(41002, "appid missing")
    if given["appid"] != keys.app_id:
        raise Refused(40013, "invalid appid")
    if not given.get("secret"):
        raise Refused(41004, "appsecret missing")
    if given["secret"] != keys.secret:
        raise Refused(40125, "invalid appsecret, view more at https://open.weixin.qq.com/")


def _token_json(token: AccessToken) -> Given:
    return {
        "access_token": token.value,
        "expires_in": int((token.expires_at - timezone.now()).total_seconds()),
    }


CALLS: dict[str, ApiCall] = {
    "token": ApiCall("GET", get_token, needs_token=False),
    "stable_token": ApiCall("POST", get_stable_token, needs_token=False),
    "getcallbackip": ApiCall("GET", get_callback_ip),
    "get_api_domain_ip": ApiCall("GET", get_callback_ip),
    "openapi/quota/get": ApiCall("POST", get_quota),
    "message/custom/send": ApiCall("POST", send_message, needs_verified=True),
    "message/custom/typing": ApiCall("POST", show_typing, needs_verified=True),
}


def answer(path: str, method: str, token: str, given: Given, account: SimulatedAccount) -> Given:
    """What WeChat says to one call; raises `Refused`. The token is checked first, then what the
    account may do.
    """
    call = CALLS.get(path)
    if call is None:
        raise Refused(40066, "invalid url")
    if method != call.method:
        raise Refused(43001 if call.method == "GET" else 43002, f"require {call.method} method")
    if call.needs_token:
        _check_token(token, account)
    if call.needs_verified and not account.verified:
        raise Refused(48001, "api unauthorized")
    return call.answer(given)


def _check_token(token: str, account: SimulatedAccount) -> None:
    if token and account.refuse_token_once():
        tokens.revoke(token)
    tokens.check(token, timezone.now())
