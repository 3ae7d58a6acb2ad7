"""Tickets and the people who work on them, in the admin."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import BooleanField, Case, Count, Q, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin_cells import cut, moment_of
from common.admin_filters import TimeFilter
from common.admin_pages import AdminList, AdminPage, Step
from conversations.last_words import last_words
from tickets.desk import pages as desk
from tickets.agents import StaffRequest, agent_of
from tickets.desk.durations import in_words
from tickets.models import Agent, Priority, Status, Ticket, TicketQuerySet
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
        return queue(queryset, self.value(), request)

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


def queue(tickets: TicketQuerySet, name: str | None, request: HttpRequest) -> TicketQuerySet:
    match name:
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

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        tickets = list(self.result_list)
        words = last_words({ticket.conversation_id for ticket in tickets})
        for ticket in tickets:
            ticket.last_words = words.get(ticket.conversation_id, "")
        self.result_list = tickets


@admin.register(Ticket)
class TicketAdmin(AdminPage):
    """The list is the queue; a row opens the ticket page (`desk`) instead of a form."""

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
    list_display_links = ["show_number", "show_customer"]
    list_prefetch = ["customer", "assignee"]
    list_per_page = 25
    search_fields = ["number", "customer__remark", "customer__openid"]
    search_help_text = _("搜索编号、备注名或 OpenID")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AdminList]:
        return TicketList

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        is_resolved = request.GET.get("queue") == "resolved"
        rows = Ticket.objects.by_resolution() if is_resolved else Ticket.objects.by_urgency()
        return tuple(rows.query.order_by)

    def get_urls(self) -> list[URLPattern]:
        views = {
            "live": desk.live,
            "reply": desk.reply,
            "take": desk.take,
            "resolve": desk.resolve,
            "transfer": desk.transfer,
            "prioritise": desk.prioritise,
        }
        own = [
            path(
                f"<int:ticket_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"tickets_ticket_{name}",
            )
            for name, view in views.items()
        ]
        here = path("here/", self.admin_site.admin_view(desk.here), name="tickets_ticket_here")
        return [*own, here, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {**(extra_context or {}), "queues": self._queues(request)}
        )

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
        return desk.ticket_page(cast(StaffRequest, request), ticket, self.admin_site)

    def _queues(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The tabs above the list. The resolved ones are not counted: their number only grows."""
        here = request.GET.get("queue")
        names: list[tuple[str | None, Any]] = [(None, _("未解决")), *QUEUES]
        return [
            {
                "name": name or "",
                "label": label,
                "is_here": name == here,
                "count": None
                if name in ("resolved", "all")
                else queue(Ticket.objects.all(), name, request).count(),
            }
            for name, label in names
        ]

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
        return (
            _unbroken(in_words(timezone.now() - ticket.waiting_since))
            if ticket.waiting_since
            else None
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Ticket | None = None) -> bool:
        return False
