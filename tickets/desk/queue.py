"""The queue: the list of tickets that agents work from, with its tabs, filters and search.

It is drawn by the admin's own list, so that it looks and is used like every other one.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common import clock
from common.admin_cells import cut
from common.admin_filters import TimeFilter
from common.admin_pages import AdminList, AdminPage, Step
from conversations.last_words import last_words
from tickets.agents import agent_of
from tickets.desk.durations import in_words
from tickets.desk.presenting import heading
from tickets.models import Priority, Status, Ticket, TicketQuerySet


def _unbroken(text: str) -> str:
    """In a narrow column a number is still one number."""
    return format_html('<span style="white-space: nowrap">{}</span>', text)


QUEUES: list[tuple[str, Any]] = [
    ("mine", _("我的")),
    ("untaken", _("待接手")),
    ("in_work", _("处理中")),
    ("resolved", _("已解决")),
    ("all", _("全部")),
]


class QueueFilter(admin.SimpleListFilter):
    """The work that waits, unless something else is asked for."""

    title = _("队列")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return QUEUES

    def queryset(self, request: HttpRequest, queryset: Any) -> TicketQuerySet:
        return tickets_in(self.value(), queryset, request)

    def choices(self, changelist: Any) -> Any:
        default, *others = super().choices(changelist)
        return [{**default, "display": _("未解决")}, *others]


class WaitingFilter(admin.SimpleListFilter):
    title = _("等待")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("客户在等回复"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.waited_for() if self.value() == "yes" else queryset


def tickets_in(queue: str | None, tickets: TicketQuerySet, request: HttpRequest) -> TicketQuerySet:
    match queue:
        case "mine":
            return tickets.of(agent_of(request.user))
        case "untaken":
            return tickets.to_be_taken()
        case "in_work":
            return tickets.in_work()
        case "resolved":
            return tickets.resolved()
        case "all":
            return tickets
    return tickets.open()


class TicketList(AdminList):
    """Reads what the customers wrote last for the page that is shown, not for every ticket there
    is.
    """

    result_list: Any

    def url_for_result(self, result: Ticket) -> str:
        return reverse("desk:ticket", args=[result.pk])

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        tickets = list(self.result_list)
        words = last_words({ticket.conversation_id for ticket in tickets})
        for ticket in tickets:
            ticket.last_words = words.get(ticket.conversation_id, "")
        self.result_list = tickets


class Queue(AdminPage):
    """Registered nowhere: the desk shows it under its own address, and a row opens the ticket."""

    list_display = [
        "show_number",
        "show_customer",
        "last_words",
        "show_reason",
        "show_status",
        "show_priority",
        "assignee",
        "waits",
    ]
    list_filter = [
        QueueFilter,
        WaitingFilter,
        "reason",
        "priority",
        "assignee",
        ("created_at", TimeFilter),
        "conversation__account",
    ]
    tabs = ["queue"]
    empty_text = _("客户要求人工、或机器人答不上来时，工单会出现在这里。")
    empty_step = Step(_("看看今日概况"), ("admin:index",))
    list_filter_submit = False
    list_before_template = "tickets/_queues.html"
    preserve_filters = False
    list_display_links = ["show_number", "show_customer"]
    list_prefetch = ["customer", "assignee"]
    list_per_page = 25
    search_fields = ["number", "customer__remark", "customer__openid"]
    search_help_text = _("搜索编号、备注名或 OpenID")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AdminList]:
        return TicketList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        return Ticket.objects.visible_to(request.user)

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        is_resolved = request.GET.get("queue") == "resolved"
        rows = Ticket.objects.by_resolution() if is_resolved else Ticket.objects.by_urgency()
        return tuple(rows.query.order_by)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"queues": _tabs(request), "heading": heading(), **(extra_context or {})}
        return super().changelist_view(request, context)

    @display(description=_("编号"), ordering="pk")
    def show_number(self, ticket: Ticket) -> str:
        return _unbroken(ticket.number)

    @display(description=_("客户"), ordering="customer")
    def show_customer(self, ticket: Ticket) -> str:
        return _unbroken(str(ticket.customer))

    @display(description=_("最近一句"))
    def last_words(self, ticket: Ticket) -> str:
        return cut(ticket.last_words, 30)  # type: ignore[attr-defined]

    @display(description=_("原因"), ordering="reason")
    def show_reason(self, ticket: Ticket) -> str:
        return ticket.get_reason_display()

    @display(
        description=_("状态"),
        ordering="status",
        label={
            str(Status.OPEN): "danger",
            str(Status.ASSIGNED): "warning",
            str(Status.ANSWERING): "info",
            str(Status.RESOLVED): "success",
        },
    )
    def show_status(self, ticket: Ticket) -> tuple[str, str]:
        return ticket.status, ticket.get_status_display()

    @display(
        description=_("优先级"),
        ordering="priority",
        label={
            str(Priority.LOW): "default",
            str(Priority.NORMAL): "default",
            str(Priority.HIGH): "danger",
        },
    )
    def show_priority(self, ticket: Ticket) -> tuple[str, str]:
        return str(ticket.priority), ticket.get_priority_display()

    @display(description=_("等待"), ordering="waiting_since", empty_value="—")
    def waits(self, ticket: Ticket) -> str | None:
        if ticket.waiting_since is None:
            return None
        return _unbroken(in_words(clock.now() - ticket.waiting_since))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Ticket | None = None) -> bool:
        return False


def _tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The tabs above the list. The resolved ones are not counted: their number only grows."""
    here = request.GET.get("queue")
    names: list[tuple[str | None, Any]] = [(None, _("未解决")), *QUEUES]
    return [
        {
            "name": name or "",
            "label": label,
            "is_here": name == here,
            "count": _count_in(name, request),
        }
        for name, label in names
    ]


def _count_in(queue: str | None, request: HttpRequest) -> int | None:
    if queue in ("resolved", "all"):
        return None
    return tickets_in(queue, Ticket.objects.visible_to(request.user), request).count()


ticket_list = Queue(Ticket, admin.site)


def queue_page(request: HttpRequest) -> HttpResponse:
    return ticket_list.changelist_view(request)
