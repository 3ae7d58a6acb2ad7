"""The only calls to WeChat's API. Everything that is not a success is a
named error of `errors.py`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from django.conf import settings
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from common.text import without_control
from wechat.errors import TokenRefused, WeChatError, named
from wechat.tokens import Token, TokenSource
from wechat.wire import TIMEOUT, Wire, unclear

logger = logging.getLogger(__name__)

WECHAT_HOST = "https://api.weixin.qq.com"
MOST_RENEWALS = 2


class Credentials(Protocol):
    """An OfficialAccount, or its `Account`."""

    @property
    def app_id(self) -> str: ...

    @property
    def app_secret(self) -> str: ...


def api_of(account: Credentials) -> WeChatAPI:
    """The process's client for this account: wechatpy looks through its whole class each time it
    makes one.
    """
    return _api(account.app_id, account.app_secret, settings.WECHAT_API_URL)


@lru_cache(maxsize=64)
def _api(app_id: str, app_secret: str, base_url: str) -> WeChatAPI:
    return WeChatAPI(_Credentials(app_id, app_secret))


@dataclass(frozen=True)
class _Credentials:
    app_id: str
    app_secret: str


@dataclass(frozen=True)
class Line:
    """An account's API, and the token that its next call takes."""

    api: WeChatAPI
    token: str


class WeChatAPI(WeChatClient):
    """wechatpy's client with our token source, our time limits, our base URL and our errors."""

    def __init__(self, account: Credentials) -> None:
        super().__init__(account.app_id, account.app_secret, timeout=TIMEOUT, auto_retry=False)
        self._http = Wire()
        self.API_BASE_URL = f"{settings.WECHAT_API_URL}/cgi-bin/"
        self._tokens = TokenSource(account.app_id, self._take_token)

    def send_text(
        self,
        openid: str,
        text: str,
        *,
        token: str = "",
        begin: Callable[[], None] | None = None,
    ) -> None:
        """Returns when WeChat has taken the text. Never repeated here: there is no key against
        doubles.

        `begin` runs right before each call that carries the text, and raises if it must not be
        made.
        """
        content = without_control(text)
        data = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        sent = self.post("message/custom/send", data=data, token=token, begin=begin)
        self._must_succeed(sent, may_repeat=False)

    def typing(self, openid: str) -> None:
        """Show 「对方正在输入」 for 15 s, or until the next message."""
        data = {"touser": openid, "command": "Typing"}
        self._must_succeed(
            self.post("message/custom/typing", data=data, may_repeat=True), may_repeat=True
        )

    @property
    def access_token(self) -> str:
        return self._tokens.current()

    def token_at_hand(self) -> str:
        """Without asking WeChat; "" when none is known."""
        return self._tokens.known()

    def fetch_access_token(self) -> None:
        """wechatpy's way to say that the token it has is no good."""
        self._tokens.renew(self._tokens.current())

    def _request(
        self,
        method: str,
        url_or_endpoint: str,
        *,
        token: str = "",
        begin: Callable[[], None] | None = None,
        **kwargs: Any,
    ) -> Any:
        """One call, and with a refused token another: first with the token that WeChat gives out
        now, if it is another one, then with one made by force.
        """
        token = token or self.access_token
        for is_last in (*([False] * MOST_RENEWALS), True):
            if begin is not None:
                begin()
            try:
                return self._request_with(token, method, url_or_endpoint, **kwargs)
            except TokenRefused:
                if is_last:
                    raise
                token = self._tokens.renew(refused=token)
        raise AssertionError("the last call returns or raises")

    def _request_with(self, token: str, method: str, url_or_endpoint: str, **kwargs: Any) -> Any:
        params = {**(kwargs.pop("params", None) or {}), "access_token": token}
        url = self._own_host(url_or_endpoint)
        try:
            return super()._request(method, url, params=params, **kwargs)
        except WeChatError:
            raise
        except WeChatClientException as refusal:
            raise self._named(url_or_endpoint, refusal.errcode, str(refusal.errmsg)) from None
        except (TypeError, ValueError) as error:  # An errcode that is no number.
            may_repeat = method == "get" or kwargs.get("may_repeat", False)
            raise unclear(f"unreadable answer from WeChat's API: {error}", may_repeat) from None

    def _own_host(self, url: str) -> str:
        """Parts of wechatpy name WeChat's host in full; with another base URL they would leave for
        the real one.
        """
        if not url.startswith(WECHAT_HOST):
            return url
        return settings.WECHAT_API_URL + urlsplit(url)._replace(scheme="", netloc="").geturl()

    def _named(self, endpoint: str, code: int, message: str) -> WeChatError:
        error = named(code, message)
        logger.warning(
            "account %s: WeChat refused %s: %s (rid %s)",
            self.appid,
            endpoint,
            error,
            error.rid or "none",
        )
        return error

    def _must_succeed(self, result: object, *, may_repeat: bool) -> None:
        """A success says so in words; a proxy's page with status 200 does not."""
        if not isinstance(result, dict) or result.get("errcode") != 0:
            raise unclear("unreadable answer from WeChat's API", may_repeat)

    def _take_token(self, force: bool) -> Token:
        data = {
            "grant_type": "client_credential",
            "appid": self.appid,
            "secret": self.secret,
            "force_refresh": force,
        }
        response = self._http.request(
            "post", self.API_BASE_URL + "stable_token", data=_json(data), may_repeat=True
        )
        answer = _read_object(response)
        if answer.get("errcode"):
            raise self._named("stable_token", answer["errcode"], str(answer.get("errmsg", "")))
        match answer:
            case {"access_token": str(value), "expires_in": int(seconds)} if value:
                return Token(value, seconds)
        raise unclear("unreadable answer from WeChat's API: no access token in it", may_repeat=True)


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _read_object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}
