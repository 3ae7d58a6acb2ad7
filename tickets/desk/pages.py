"""The ticket page in the admin: thin views over `services`, mounted by `TicketAdmin`.

Each action answers a plain form with a redirect, and the page's script (`Accept: application/json`)
with the new state of the page, so that an agent never loses a word or the place in the
conversation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from common import clock
from tickets import presence, services
from tickets.agents import StaffRequest, acting_agent, agent_of, name_of
from tickets.desk.forms import PriorityForm, ReplyForm, TransferForm
from tickets.models import Agent, Status, Ticket
from tickets.desk.thread import thread_of
from tickets.desk.window import reply_window

NEWEST = 80
MOST = 2000
# The parts of the page that change by themselves: `tickets/_<name>.html`, each in the element with
# that id.
PIECES = ("head", "thread", "notice", "facts", "colleagues")

Action = Callable[[Ticket, StaffRequest], str]


def ticket_page(request: StaffRequest, ticket: Ticket, site: AdminSite) -> HttpResponse:
    if not may_view(request):
        raise PermissionDenied
    context = {
        **site.each_context(request),
        **_state(request, ticket),
        "title": _("%(customer)s · 工单 %(ticket)s")
        % {"customer": ticket.customer, "ticket": ticket},
        "opts": Ticket._meta,
        "ticket": ticket,
        "agent": agent_of(request.user),
        "acting_name": name_of(request.user),
        "reply_form": ReplyForm(),
        "priority_form": PriorityForm(initial={"priority": ticket.priority}),
    }
    return TemplateResponse(request, "tickets/ticket.html", context)


@never_cache
def live(request: StaffRequest, ticket_id: int) -> HttpResponse:
    """What changed since the page was drawn: 204 for nothing."""
    if not may_view(request):
        raise PermissionDenied
    state = _state(request, _ticket(ticket_id))
    if request.GET.get("digest") == state["digest"]:
        return HttpResponse(status=204)
    return JsonResponse(_as_json(state))


@require_POST
def here(request: StaffRequest) -> HttpResponse:
    """An agent's page is open, or was closed just now."""
    page = request.POST.get("page", "")
    agent = agent_of(request.user)
    if agent is None or not _may_change(request) or not presence.PAGE_NAME.fullmatch(page):
        return HttpResponse(status=204)
    if request.POST.get("closed"):
        presence.page_was_closed(agent.pk, page)
    else:
        presence.page_is_open(agent.pk, page)
    return HttpResponse(status=204)


def _do(request: StaffRequest, ticket_id: int, action: Action) -> HttpResponse:
    """Run one action of an agent and answer in the manner that was asked for."""
    if not _may_change(request):
        raise PermissionDenied
    ticket = _ticket(ticket_id)
    status, problem, done = 200, "", ""
    try:
        done = action(ticket, request)
    except services.TakenByAnother as taken:
        status, problem = (
            409,
            _("%(agent)s 正在接待这位客户，接手后可以发送。") % {"agent": taken.agent or "—"},
        )
    except services.TicketClosed:
        status, problem = 409, _("这个工单已经解决。客户再次需要人工时会有新的工单。")
    except Unfit as unfit:
        status, problem = 400, str(unfit)
    _note_action(request)
    if request.headers.get("Accept") == "application/json":
        state = _as_json(_state(request, _ticket(ticket_id)))
        return JsonResponse({**state, "problem": problem, "done": done}, status=status)
    if problem or done:
        messages.add_message(
            request, messages.ERROR if problem else messages.SUCCESS, problem or done
        )
    return redirect("admin:tickets_ticket_change", ticket_id)


class Unfit(Exception):
    """A form with a mistake; the text says which."""


@require_POST
def reply(request: StaffRequest, ticket_id: int) -> HttpResponse:
    def send(ticket: Ticket, request: StaffRequest) -> str:
        form = _checked(ReplyForm(request.POST))
        services.reply(ticket, acting_agent(request.user), form.cleaned_data["text"])
        return ""

    return _do(request, ticket_id, send)


@require_POST
def take(request: StaffRequest, ticket_id: int) -> HttpResponse:
    def take_it(ticket: Ticket, request: StaffRequest) -> str:
        agent = acting_agent(request.user)
        seen = request.POST.get("seen", "")
        is_seen = ticket.assignee is not None and str(ticket.assignee.pk) == seen
        services.take(ticket, agent, from_agent=ticket.assignee if is_seen else None)
        return _("已接手，机器人不再回复这位客户。")

    return _do(request, ticket_id, take_it)


@require_POST
def resolve(request: StaffRequest, ticket_id: int) -> HttpResponse:
    def resolve_it(ticket: Ticket, request: StaffRequest) -> str:
        services.resolve(ticket, acting_agent(request.user))
        return _("已解决，机器人继续接待这位客户。")

    return _do(request, ticket_id, resolve_it)


@require_POST
def transfer(request: StaffRequest, ticket_id: int) -> HttpResponse:
    def hand_on(ticket: Ticket, request: StaffRequest) -> str:
        agent = _checked(TransferForm(request.POST, ticket=ticket)).cleaned_data["agent"]
        services.assign(ticket, agent)
        return _("已转给 %(agent)s。") % {"agent": agent}

    return _do(request, ticket_id, hand_on)


@require_POST
def prioritise(request: StaffRequest, ticket_id: int) -> HttpResponse:
    def set_it(ticket: Ticket, request: StaffRequest) -> str:
        services.set_priority(ticket, _checked(PriorityForm(request.POST)).cleaned_data["priority"])
        return _("优先级已更新。")

    return _do(request, ticket_id, set_it)


def may_view(request: StaffRequest) -> bool:
    return request.user.has_perm("tickets.view_ticket") or request.user.has_perm(
        "tickets.change_ticket"
    )


def _may_change(request: StaffRequest) -> bool:
    return request.user.has_perm("tickets.change_ticket")


def _note_action(request: StaffRequest) -> None:
    agent = agent_of(request.user)
    if agent is not None:
        presence.agent_did_something(agent.pk)


def _ticket(ticket_id: int) -> Ticket:
    rows = Ticket.objects.select_related(
        "customer", "conversation__customer", "conversation__account", "assignee"
    )
    return get_object_or_404(rows, pk=ticket_id)


def _checked(form: Any) -> Any:
    if not form.is_valid():
        raise Unfit(" ".join(error for errors in form.errors.values() for error in errors))
    return form


def _state(request: StaffRequest, ticket: Ticket) -> dict[str, Any]:
    """All of the page that changes by itself, as pieces of HTML and their digest."""
    newest = _newest(request)
    context = {
        "ticket": ticket,
        "thread": thread_of(ticket, newest=newest),
        "earlier": min(newest + NEWEST * 2, MOST),
        "window": reply_window(ticket.conversation, clock.now()),
        "may_change": _may_change(request),
        "transfer_form": TransferForm(ticket=ticket),
        **_whose(ticket, agent_of(request.user)),
        **_others_of_the_customer(ticket),
    }
    pieces = {name: render_to_string(f"tickets/_{name}.html", context, request) for name in PIECES}
    digest = hashlib.sha256("".join(pieces.values()).encode()).hexdigest()[:16]
    return {**context, "pieces": pieces, "digest": digest}


def _whose(ticket: Ticket, agent: Agent | None) -> dict[str, bool]:
    is_own = agent is not None and ticket.assignee_id == agent.pk
    is_served = ticket.status == Status.ANSWERING and ticket.assignee_id is not None
    return {
        "is_mine": is_own and is_served,
        "is_anothers": is_served and not is_own,
        "is_meant_for_another": ticket.status == Status.ASSIGNED
        and ticket.assignee_id is not None
        and not is_own,
    }


def _others_of_the_customer(ticket: Ticket) -> dict[str, Any]:
    others = Ticket.objects.filter(customer=ticket.customer_id).exclude(pk=ticket.pk)
    after = None if ticket.is_open else others.filter(pk__gt=ticket.pk).order_by("pk").last()
    return {"other_tickets": others.count(), "ticket_after": after}


def _newest(request: StaffRequest) -> int:
    asked = request.GET.get("newest", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) < 10
    return min(int(asked), MOST) if is_number else NEWEST


def _as_json(state: dict[str, Any]) -> dict[str, Any]:
    return {
        "digest": state["digest"],
        "pieces": state["pieces"],
        "is_open": state["ticket"].is_open,
        "is_anothers": state["is_anothers"],
        "window_is_open": state["window"].is_open,
        "window_words": state["window"].in_full,
    }
