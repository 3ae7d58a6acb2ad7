"""Tickets and the people who work on them, in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import BooleanField, Case, Count, Q, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin_cells import moment_of
from common.admin_pages import AdminPage
from tickets.desk.queue import queue_page
from tickets.desk.urls import asked_by_pages
from tickets.models import Agent, Ticket
from tickets.presence import agents_there


@admin.register(Agent)
class AgentAdmin(AdminPage):
    list_display = [
        "display_name",
        "user",
        "active",
        "is_there",
        "open_tickets",
        moment_of(Agent, "last_work_at"),
    ]
    list_editable = ["active"]
    list_select_related = ["user"]
    list_filter = ["active"]
    search_fields = ["display_name", "user__username"]
    fields = ["user", "display_name", "active"]
    empty_text = _(
        "新工单自动分配给接单中的客服。先添加一位，没有账号的先在「用户」里建一个职员账号。"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        is_open = Q(tickets__open_for__isnull=False)
        there = Case(
            When(pk__in=agents_there(), then=True), default=False, output_field=BooleanField()
        )
        agents = super().get_queryset(request)
        return agents.annotate(open_count=Count("tickets", filter=is_open), there=there)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = get_user_model().objects.filter(is_staff=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("在线"), ordering="there", boolean=True)
    def is_there(self, agent: Agent) -> bool:
        return agent.there  # type: ignore[attr-defined]

    @display(description=_("未解决工单"), ordering="open_count")
    def open_tickets(self, agent: Agent) -> int:
        return agent.open_count  # type: ignore[attr-defined]


@admin.register(Ticket)
class TicketAdmin(AdminPage):
    """Nobody adds or deletes a ticket by hand. Tickets are worked on at the desk, and the addresses
    that its pages had here lead there.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        return Ticket.objects.visible_to(request.user)

    def get_urls(self) -> list[URLPattern]:
        return [*asked_by_pages, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.headers.get("Accept") == "text/html":
            # The script of a list that was opened before the move. It takes a redirect for a login.
            return queue_page(request)
        return _moved(request, reverse("desk:queue"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        ticket = self.get_object(request, object_id)
        if ticket is None:
            raise Http404
        return _moved(request, reverse("desk:ticket", args=[ticket.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Ticket | None = None) -> bool:
        return False


def _moved(request: HttpRequest, address: str) -> HttpResponse:
    query = request.META["QUERY_STRING"]
    return redirect(f"{address}?{query}" if query else address)
