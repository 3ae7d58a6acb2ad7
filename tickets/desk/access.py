"""Who may open the desk's pages, and which tickets they find there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from tickets.agents import StaffRequest
from tickets.models import Ticket, may_see_tickets

Rest = ParamSpec("Rest")
View = Callable[Concatenate[StaffRequest, Rest], HttpResponse]


def for_staff(view: View[Rest]) -> Callable[..., HttpResponse]:
    """The login of the admin, its protection of forms, and no copy in a browser's cache."""

    @wraps(view)
    def seen(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        return view(cast(StaffRequest, request), *args, **kwargs)

    return cast(Callable[..., HttpResponse], admin.site.admin_view(seen))


def may_change(request: StaffRequest) -> bool:
    return request.user.has_perm("tickets.change_ticket")


def visible_ticket(request: StaffRequest, ticket_id: int) -> Ticket:
    """The ticket with all that its page names; 404 for one that this user does not see."""
    if not may_see_tickets(request.user):
        raise PermissionDenied
    rows = Ticket.objects.visible_to(request.user).select_related(
        "customer", "conversation__customer", "conversation__account", "assignee"
    )
    return get_object_or_404(rows, pk=ticket_id)
