"""Who may see the simulator: everybody on one's own machine, staff elsewhere, nobody where it is not switched on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def may_see(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    if not settings.SIMULATOR:
        return False
    if not settings.SIMULATOR_NEEDS_LOGIN:
        return True
    return bool(user and user.is_active and getattr(user, "is_staff", False))


def simulator_exists(view: View[P]) -> View[P]:
    """404 where the simulator is not switched on."""

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not settings.SIMULATOR:
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def page_for_those_who_may_see(view: View[P]) -> View[P]:
    """A page: others are sent to the staff login."""

    @simulator_exists
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not may_see(request.user):
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        return view(request, *args, **kwargs)

    return checked


def data_for_those_who_may_see(view: View[P]) -> View[P]:
    """Data for the page's JavaScript: others get 403 and a word why."""

    @simulator_exists
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not may_see(request.user):
            return refusal(_("请先以员工身份登录。"), status=403)
        return view(request, *args, **kwargs)

    return checked


def refusal(text: str, *, status: int) -> HttpResponse:
    return JsonResponse({"error": text}, status=status)


def scope_may_see(scope: dict[str, Any]) -> bool:
    return may_see(scope.get("user"))
