"""The ticket page in pieces: what stands on it now, for its first drawing and for its script."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from common import clock
from tickets.agents import StaffRequest, agent_of, name_of
from tickets.desk.access import may_change
from tickets.desk.forms import Draft, PriorityForm, ReplyForm, TransferForm
from tickets.desk.thread import thread_of
from tickets.desk.window import reply_window
from tickets.models import Agent, Status, Ticket

NEWEST = 80
MOST = 2000
# The parts of the page that change by themselves: `tickets/_<name>.html`, each in the element with
# that id.
PIECES = ("head", "thread", "notice", "facts", "colleagues")


@dataclass(frozen=True)
class TicketState:
    """All of the page that changes by itself, as pieces of HTML and their digest."""

    context: dict[str, Any]
    pieces: dict[str, str]
    digest: str

    def as_json(self) -> dict[str, Any]:
        window = self.context["window"]
        return {
            "digest": self.digest,
            "pieces": self.pieces,
            "is_open": self.context["ticket"].is_open,
            "is_anothers": self.context["is_anothers"],
            "window_is_open": window.is_open,
            "window_words": window.in_full,
        }


def state_of(request: StaffRequest, ticket: Ticket) -> TicketState:
    newest = _newest(request)
    context = {
        "ticket": ticket,
        "thread": thread_of(ticket, newest=newest),
        "earlier": min(newest + NEWEST * 2, MOST),
        "window": reply_window(ticket.conversation, clock.now()),
        "may_change": may_change(request),
        "transfer_form": TransferForm(ticket=ticket),
        **_whose(ticket, agent_of(request.user)),
        **_others_of_the_customer(request, ticket),
    }
    pieces: dict[str, str] = {
        name: render_to_string(f"tickets/_{name}.html", context, request) for name in PIECES
    }
    digest = hashlib.sha256("".join(pieces.values()).encode()).hexdigest()[:16]
    return TicketState(context, pieces, digest)


def ticket_page(
    request: StaffRequest, ticket: Ticket, *, status: int = 200, draft_key: str = ""
) -> HttpResponse:
    """The whole page. A refused form gets it as its answer, with what was written."""
    state = state_of(request, ticket)
    context = {
        **admin.site.each_context(request),
        **state.context,
        "pieces": state.pieces,
        "digest": state.digest,
        "title": _("%(customer)s · 工单 %(ticket)s")
        % {"customer": ticket.customer, "ticket": ticket},
        "opts": Ticket._meta,
        "heading": heading(),
        "agent": agent_of(request.user),
        "acting_name": name_of(request.user),
        "reply_form": ReplyForm(),
        "draft": Draft.of(request, draft_key),
        "priority_form": PriorityForm(initial={"priority": ticket.priority}),
    }
    return TemplateResponse(request, "tickets/ticket.html", context, status=status)


def heading() -> list[dict[str, str]]:
    """The line above every page of the desk, as the theme writes it: the way back to the queue."""
    title = str(Ticket._meta.verbose_name_plural)
    return [{"title": title, "link": reverse("desk:queue")}]


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


def _others_of_the_customer(request: StaffRequest, ticket: Ticket) -> dict[str, Any]:
    seen = Ticket.objects.visible_to(request.user)
    others = seen.filter(customer=ticket.customer_id).exclude(pk=ticket.pk)
    after = None if ticket.is_open else others.filter(pk__gt=ticket.pk).order_by("pk").last()
    return {"other_tickets": others.count(), "ticket_after": after}


def _newest(request: StaffRequest) -> int:
    asked = request.GET.get("newest", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) < 10
    return min(int(asked), MOST) if is_number else NEWEST
