"""Where no place to hash came free in time: a page that asks for a moment's patience."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

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
