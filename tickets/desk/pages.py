"""What the desk shows: the queue, one ticket, and what changed on it since it was drawn."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from tickets import presence
from tickets.agents import StaffRequest, agent_of
from tickets.desk.access import for_staff, may_change, visible_ticket
from tickets.desk.presenting import state_of, ticket_page
from tickets.desk.queue import queue_page


@for_staff
def queue(request: StaffRequest) -> HttpResponse:
    return queue_page(request)


@for_staff
def ticket(request: StaffRequest, ticket_id: int) -> HttpResponse:
    return ticket_page(request, visible_ticket(request, ticket_id))


@for_staff
def live(request: StaffRequest, ticket_id: int) -> HttpResponse:
    """What changed since the page was drawn: 204 for nothing."""
    state = state_of(request, visible_ticket(request, ticket_id))
    if request.GET.get("digest") == state.digest:
        return HttpResponse(status=204)
    return JsonResponse(state.as_json())


@for_staff
@require_POST
def here(request: StaffRequest) -> HttpResponse:
    """An agent's page is open, or was closed just now."""
    page = request.POST.get("page", "")
    agent = agent_of(request.user)
    if agent is None or not may_change(request) or not presence.PAGE_NAME.fullmatch(page):
        return HttpResponse(status=204)
    if request.POST.get("closed"):
        presence.page_was_closed(agent.pk, page)
    else:
        presence.page_is_open(agent.pk, page)
    return HttpResponse(status=204)
