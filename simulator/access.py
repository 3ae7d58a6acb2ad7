"""Who may see the simulator: everybody on this machine, elsewhere users with the permission, and
nobody where it is off.

Each request decides anew whether it comes from this machine: a setting cannot know who is at the
other end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from common.callers import Caller, caller_of, caller_of_scope
from wechat.models import OfficialAccount

PERMISSION = "simulator.use_simulator"

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def may_see(user: User | AnonymousUser | None, caller: Caller) -> bool:
    if not settings.SIMULATOR:
        return False
    if is_free_for(caller):
        return True
    return bool(user and user.is_active and user.is_staff and user.has_perm(PERMISSION))


def is_free_for(caller: Caller) -> bool:
    """Without a login: nothing here is anybody's but the made-up customers' of who sits at this
    machine.
    """
    if settings.SIMULATOR_NEEDS_LOGIN or not caller.is_on_this_machine:
        return False
    return not has_real_account()


def has_real_account() -> bool:
    """Named in the environment, or added in the admin."""
    if not settings.WECHAT_IS_SIMULATED:
        return True
    return OfficialAccount.objects.exclude(app_id=settings.WECHAT_APP_ID).exists()


def simulator_exists(view: View[P]) -> View[P]:
    """404 where the simulator is not switched on."""

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not settings.SIMULATOR:
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def page_for_those_who_may_see(view: View[P]) -> View[P]:
    """A page: strangers are sent to the staff login, staff without the permission are told."""

    @simulator_exists
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if may_see(request.user, caller_of(request)):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))

    return checked


def data_for_those_who_may_see(view: View[P]) -> View[P]:
    """Data for the page's JavaScript: others get 403 and a word why."""

    @simulator_exists
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if may_see(request.user, caller_of(request)):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            return refusal(_("当前账号没有使用模拟器的权限。"), status=403)
        return refusal(_("请先以员工身份登录。"), status=403)

    return checked


def api_for_our_own_processes(view: View[P]) -> View[P]:
    """The pretended WeChat is called by our workers on this machine: for anybody else it is not
    there.
    """

    @simulator_exists
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not caller_of(request).is_on_this_machine:
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def refusal(text: str, *, status: int) -> HttpResponse:
    return JsonResponse({"error": text}, status=status)


def scope_may_see(scope: dict[str, Any]) -> bool:
    return may_see(scope.get("user"), caller_of_scope(scope))
