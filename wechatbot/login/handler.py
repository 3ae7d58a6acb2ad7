"""What django-axes asks and is told. It stands in `authenticate()`, whichever form a login comes
from.
"""

from __future__ import annotations

from typing import Any

from axes.handlers.base import AbstractAxesHandler, AxesBaseHandler
from django.http import HttpRequest, HttpResponse

from common.callers import client_address
from wechatbot.login.attempts import LOCK_SECONDS, Attempt, attempt_of

TOO_MANY_REQUESTS = 429


class LoginHandler(AbstractAxesHandler, AxesBaseHandler):
    """Axes brings one limit for all its counters, and either locks an account alone or does not
    look at it.
    """

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        return _attempt(request, credentials).seconds_to_wait() > 0

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        # Axes demands the method for its own `is_locked`, which is replaced above: nobody may call
        # it.
        raise NotImplementedError("is_locked looks at each counter with its own limit")

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        """A try that met the lock neither counts nor prolongs it."""
        if request is not None and not is_refused(request):
            _attempt(request, credentials).count_failure()

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        attempt_of(user.get_username(), client_address(request)).forgive_pair()

    def user_logged_out(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        pass


def refuse(request: HttpRequest, seconds: int) -> None:
    """Axes' middleware gives the answer to this request its status, see `refused`."""
    request.axes_locked_out = True  # type: ignore[attr-defined]
    request.login_wait = seconds  # type: ignore[attr-defined]


def is_refused(request: HttpRequest) -> bool:
    return bool(getattr(request, "axes_locked_out", False))


def refused(request: HttpRequest, response: Any, credentials: Any) -> HttpResponse:
    """The page as the form has drawn it, with its error, under the status of a refusal."""
    answer: HttpResponse = request.login_answer  # type: ignore[attr-defined]
    answer.status_code = TOO_MANY_REQUESTS
    answer["Retry-After"] = str(getattr(request, "login_wait", LOCK_SECONDS))
    return answer


def _attempt(request: HttpRequest, credentials: dict[str, Any] | None) -> Attempt:
    username = str((credentials or {}).get("username") or "")
    return attempt_of(username, client_address(request))
