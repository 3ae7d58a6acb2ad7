"""The page and the data behind it. Thin: what a person does is in `actions`, what WeChat does in
`delivery`.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from simulator.access import data_for_those_who_may_see, page_for_those_who_may_see, refusal
from simulator.account import NoSuchSwitch, our_account, switch
from simulator.actions import ACTIONS, NotPossible, new_follower
from simulator.background import TooMuchAtOnce
from simulator.models import Exchange, Fault, Follower, Mode, SimulatedAccount
from simulator.presenting import (
    account_json,
    bubble_json,
    exchange_detail,
    exchange_json,
    follower_json,
)
from simulator.texts import page_texts

# What a customer of the demo shop would ask: in Chinese, whatever the language of the page.
SUGGESTIONS = ("怎么退货", "我的订单到哪了", "转人工")
SHOWN_BUBBLES = 100
SHOWN_EXCHANGES = 120


@require_GET
@ensure_csrf_cookie
@page_for_those_who_may_see
def page(request: HttpRequest) -> HttpResponse:
    account = SimulatedAccount.current()
    ours = our_account(account)
    context = {
        "account_name": ours.name if ours else _("公众号"),
        "is_simulated": settings.WECHAT_IS_SIMULATED,
        "modes": Mode.choices,
        "faults": Fault.choices,
        "suggestions": SUGGESTIONS,
        "tickets_url": _url_or_none("desk:queue"),
        "start": {"state": _state(request), "texts": page_texts()},
    }
    return render(request, "simulator/page.html", context)


@require_GET
@data_for_those_who_may_see
def state(request: HttpRequest) -> HttpResponse:
    return JsonResponse(_state(request))


@require_GET
@data_for_those_who_may_see
def exchange(request: HttpRequest, exchange_id: int) -> HttpResponse:
    return JsonResponse(exchange_detail(get_object_or_404(Exchange, pk=exchange_id)))


@require_POST
@data_for_those_who_may_see
def create(request: HttpRequest) -> HttpResponse:
    try:
        follower = new_follower(str(_given(request).get("name", "")))
    except (NotPossible, TooMuchAtOnce) as error:
        return _refused(error)
    return JsonResponse({"follower": follower_json(follower)}, status=201)


@require_POST
@data_for_those_who_may_see
def act(request: HttpRequest, follower_id: int, action: str) -> HttpResponse:
    if action not in ACTIONS:
        raise Http404
    follower = get_object_or_404(Follower, pk=follower_id)
    try:
        ACTIONS[action](follower, _given(request))
    except (NotPossible, TooMuchAtOnce) as error:
        return _refused(error)
    return JsonResponse({"follower": follower_json(follower)}, status=202)


@require_POST
@data_for_those_who_may_see
def throw_switch(request: HttpRequest) -> HttpResponse:
    try:
        given = _given(request)
        account = switch(str(given.get("name", "")), given.get("value"))
    except NotPossible as error:
        return _refused(error)
    except NoSuchSwitch:
        return refusal(_("没有这个开关。"), status=400)
    return JsonResponse({"account": account_json(account)})


def _state(request: HttpRequest) -> dict[str, Any]:
    """All that the page shows, for the customer asked for or, without one, the first."""
    followers = list(Follower.objects.all())
    wanted = request.GET.get("customer", "")
    chosen = next((follower for follower in followers if str(follower.pk) == wanted), None)
    chosen = chosen or (followers[0] if followers else None)
    return {
        "account": account_json(SimulatedAccount.current()),
        "followers": list(map(follower_json, followers)),
        "chosen": chosen.pk if chosen else None,
        "bubbles": list(map(bubble_json, _bubbles_of(chosen))),
        "exchanges": list(map(exchange_json, _last(_seen_by(chosen), SHOWN_EXCHANGES))),
    }


def _bubbles_of(follower: Follower | None) -> list[Any]:
    return _last(follower.bubbles.all(), SHOWN_BUBBLES) if follower else []


def _seen_by(follower: Follower | None) -> Any:
    return Exchange.objects.filter(follower=follower) | Exchange.objects.filter(follower=None)


def _last(rows: Any, count: int) -> list[Any]:
    return list(rows.order_by("-pk")[:count])[::-1]


def _given(request: HttpRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body or b"{}")
    except ValueError as error:
        raise NotPossible(_("请求不是 JSON。")) from error
    if not isinstance(given, dict):
        raise NotPossible(_("请求不是 JSON。"))
    return given


def _refused(error: NotPossible | TooMuchAtOnce) -> HttpResponse:
    if isinstance(error, TooMuchAtOnce):
        return refusal(_("正在进行的推送太多，请稍等片刻。"), status=503)
    return refusal(str(error), status=409)


def _url_or_none(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None
