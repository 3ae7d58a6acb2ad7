"""The outermost middleware: whom a request comes from decides what is believed of it and what it is
shown.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.views import defaults

from common.callers import Caller, caller_of

log = logging.getLogger(__name__)

HTTPS_HEADER = "HTTP_X_FORWARDED_PROTO"
# Django draws these in colours, with settings and sources, where DEBUG is on.
DEBUG_STATUSES = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR}

Answer = Callable[[HttpRequest], HttpResponseBase]
LaterAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def callers(get_response: Answer | LaterAnswer) -> Answer | LaterAnswer:
    if iscoroutinefunction(get_response):

        async def later(request: HttpRequest) -> HttpResponseBase:
            caller = _meet(request)
            return _take_leave(request, caller, await get_response(request))

        return later

    def at_once(request: HttpRequest) -> HttpResponseBase:
        caller = _meet(request)
        return _take_leave(request, caller, get_response(request))  # type: ignore[arg-type]

    return at_once


def _meet(request: HttpRequest) -> Caller:
    caller = caller_of(request)
    if caller.came_through_proxy and settings.IS_LOCAL:
        _say_that_a_proxy_speaks()
    if HTTPS_HEADER in request.META and not caller.is_trusted_proxy:
        request.META[HTTPS_HEADER] = "http"
    return caller


def _take_leave(
    request: HttpRequest, caller: Caller, response: HttpResponseBase
) -> HttpResponseBase:
    if caller.is_on_this_machine:
        _let_cookies_stay(request, response)
        return response
    if settings.DEBUG and response.status_code in DEBUG_STATUSES:
        return _without_debug(request, response)
    return response


def _let_cookies_stay(request: HttpRequest, response: HttpResponseBase) -> None:
    """A browser on this machine reaches us by plain http as well, and what it sends never leaves
    the machine.
    """
    if request.is_secure():
        return
    for cookie in response.cookies.values():
        cookie["secure"] = ""


def _without_debug(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not response.headers.get("Content-Type", "").startswith("text/"):
        return response
    match response.status_code:
        case HTTPStatus.NOT_FOUND:
            return defaults.page_not_found(request, Http404())
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            return defaults.server_error(request)
    return HttpResponse("Bad Request", status=response.status_code, content_type="text/plain")


class _Said:
    """Once per process is enough: who reads it changes a setting."""

    already = False


def _say_that_a_proxy_speaks() -> None:
    if _Said.already:
        return
    _Said.already = True
    log.warning("A proxy speaks to us: set PUBLIC_URL to the address that the world uses")
