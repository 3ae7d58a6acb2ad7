"""HTTP to WeChat's API: time limits on every request, and failures of the network by name.

No retry here: `client.py` repeats a refused token once, delivery owns everything else.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from common.http import make_session
from wechat.errors import OutcomeUnknown, WeChatBusy, WeChatError, WeChatRefused, WeChatUnreachable

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
TIMEOUT = (CONNECT_SECONDS, READ_SECONDS)

_NEVER_LEFT = (
    requests.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


@lru_cache(maxsize=1)
def shared_session() -> requests.Session:
    return make_session()


class Wire:
    """Stands where wechatpy expects its `requests.Session`."""

    def request(
        self, method: str, url: str, *, may_repeat: bool = False, **kwargs: Any
    ) -> requests.Response:
        """`may_repeat`: the call does no harm when WeChat gets it twice, so an unknown outcome is
        as good as none.
        """
        kwargs["timeout"] = TIMEOUT
        kwargs["allow_redirects"] = False
        may_repeat = may_repeat or method.lower() == "get"
        try:
            response = shared_session().request(method, url, **kwargs)
        except requests.RequestException as error:
            # `from None`: the text of the error repeats the URL, and the URL holds the access
            # token.
            raise _failed(error, may_repeat) from None
        _check_status(response, may_repeat)
        return response


def unclear(message: str, may_repeat: bool) -> WeChatError:
    return WeChatUnreachable(0, message) if may_repeat else OutcomeUnknown(0, message)


def _failed(error: requests.RequestException, may_repeat: bool) -> WeChatError:
    what = f"{type(error).__name__} at WeChat's API"
    # Even one: it would carry the token to another host.
    if isinstance(error, requests.TooManyRedirects):
        return WeChatRefused(0, what)
    return WeChatUnreachable(0, what) if _never_left(error) else unclear(what, may_repeat)


def _never_left(error: requests.RequestException) -> bool:
    """Whether nothing of the request can have arrived: no connection, or a certificate that we
    refused.
    """
    if isinstance(error, _NEVER_LEFT):
        return True
    return any(
        isinstance(cause, (NewConnectionError, ssl.SSLCertVerificationError))
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors that requests and urllib3 wrap into each other, as `reason`
    or as first argument.
    """
    inner: object = error
    while isinstance(inner, BaseException):
        yield inner
        reason = getattr(inner, "reason", None) if isinstance(inner, HTTPError) else None
        inner = reason or (inner.args[0] if inner.args else None)


def _check_status(response: requests.Response, may_repeat: bool) -> None:
    status = response.status_code
    if status == 200:
        return
    message = f"HTTP {status} from WeChat's API"
    if status == 429:  # Said before anything was done.
        raise WeChatBusy(0, message)
    # A 503 too: a gateway says it of a server that broke down over the request as well.
    if status >= 500:
        raise unclear(message, may_repeat)
    raise WeChatRefused(0, message)
