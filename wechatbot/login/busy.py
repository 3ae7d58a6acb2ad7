"""Where no place to hash came free in time: a page that asks for a moment's patience. And the page
of a lock, kept.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from wechatbot.login.handler import is_refused
from wechatbot.login.hashing import TooManyHashes

UNAVAILABLE = 503
RETRY_AFTER_SECONDS = 5


class BusyMiddleware(MiddlewareMixin):
    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TooManyHashes):
            return None
        answer = render(request, "503.html", status=UNAVAILABLE)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Under ASGI, Axes' middleware does not hand on what the form has drawn: `refused` finds it
        here.
        """
        if is_refused(request):
            request.login_answer = response  # type: ignore[attr-defined]
        return response
