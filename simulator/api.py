"""The door of the simulated WeChat API: reads the call, lets the faults happen, answers as WeChat
does, records.

No login and no CSRF token here: our own client calls it from this machine, with tokens that only
the account's secret can get.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from simulator.access import api_for_our_own_processes
from simulator.api_calls import CALLS, answer
from simulator.api_errors import Refused
from simulator.counts import count_call
from simulator.delivery import SLOW_SECONDS
from simulator.models import Follower, Outcome, SimulatedAccount
from simulator.wire import Call, record_call

# Longer than our client waits for an answer.
SILENCE_SECONDS = 6.0


@dataclass
class Handled:
    """How a call went: what was said, or that nothing was."""

    outcome: Outcome
    said: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    status: int | None = 200


@csrf_exempt
@api_for_our_own_processes
def api(request: HttpRequest, path: str) -> HttpResponse:
    started = time.monotonic()
    account = SimulatedAccount.current()
    if account.slow_network:
        time.sleep(SLOW_SECONDS)
    handled = (
        Handled(Outcome.NOT_REACHED, status=503)
        if account.api_down
        else _handle(request, path, account)
    )
    if account.lose_api_answer and not account.api_down:
        handled.outcome, handled.status = Outcome.LOST, None
    _record(request, path, handled, started)
    return _answer(handled)


def _handle(request: HttpRequest, path: str, account: SimulatedAccount) -> Handled:
    handled = Handled(Outcome.OK)
    try:
        handled.given = _read(request)
        token = request.GET.get("access_token", "")
        handled.said = answer(path, request.method or "", token, handled.given, account)
    except Refused as refused:
        handled.said, handled.outcome = refused.as_json(), Outcome.ERROR
    if path in CALLS:
        count_call(path)
    return handled


def _answer(handled: Handled) -> HttpResponse:
    if handled.status is None:
        # Done, but the caller never hears of it: it gives up first.
        time.sleep(SILENCE_SECONDS)
        return HttpResponse(status=504)
    if handled.status != 200:
        return HttpResponse(
            "<html><h1>503 Service Temporarily Unavailable</h1></html>", status=handled.status
        )
    return JsonResponse(handled.said, json_dumps_params={"ensure_ascii": False})


def _read(request: HttpRequest) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.GET.items())
    if not request.body:
        raise Refused(44002, "empty post data")
    try:
        given = json.loads(request.body)
    except ValueError as error:
        raise Refused(47001, "data format error") from error
    if not isinstance(given, dict):
        raise Refused(47001, "data format error")
    return given


def _record(request: HttpRequest, path: str, handled: Handled, started: float) -> None:
    given = handled.given
    follower = (
        Follower.objects.filter(openid=str(given["touser"])).first() if "touser" in given else None
    )
    text = given.get("text")
    record_call(
        Call(
            path=path,
            method=request.method or "",
            url=request.get_full_path(),
            request=request.body.decode("utf-8", "replace"),
            response=json.dumps(handled.said, ensure_ascii=False) if handled.said else "",
            status=handled.status,
            outcome=handled.outcome,
            errcode=handled.said.get("errcode"),
            follower_id=follower.pk if follower else None,
            summary=str(text.get("content", ""))
            if isinstance(text, dict)
            else str(given.get("command", "")),
            started=started,
        )
    )
