"""People who help: agents, and the tickets that they work on."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations.models import Conversation, Customer, Message


class Agent(models.Model):
    """The profile of a staff user who answers customers."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("用户"))
    display_name = models.CharField(_("显示名"), max_length=60)
    active = models.BooleanField(
        _("接单中"), default=True, help_text=_("新工单自动分配给接单中的客服")
    )
    last_work_at = models.DateTimeField(_("上次接待"), null=True, editable=False)

    class Meta:
        verbose_name = pgettext_lazy("one", "客服人员")
        verbose_name_plural = pgettext_lazy("many", "客服人员")

    def __str__(self) -> str:
        return self.display_name


class Reason(models.TextChoices):
    """Why a person must help."""

    CUSTOMER_ASKED = "customer_asked", _("客户要求人工")
    NOTHING_MATCHED = "nothing_matched", _("没有匹配的答案")
    MODEL_UNSURE = "model_unsure", _("模型无法回答")
    MODEL_DOWN = "model_down", _("模型不可用")
    MODEL_BUSY = "model_busy", _("模型繁忙")
    BROKEN = "broken", _("多次处理失败")


class Status(models.TextChoices):
    OPEN = "open", _("待接手")
    ASSIGNED = "assigned", _("已分配")
    ANSWERING = "answering", _("处理中")
    RESOLVED = "resolved", _("已解决")


class Priority(models.IntegerChoices):
    LOW = 1, _("低")
    NORMAL = 2, _("普通")
    HIGH = 3, _("高")


def may_see_tickets(user: User | AnonymousUser) -> bool:
    return user.has_perm("tickets.view_ticket") or user.has_perm("tickets.change_ticket")


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User | AnonymousUser) -> TicketQuerySet:
        """What this user may see: every page and every action begins with it."""
        return self.all() if may_see_tickets(user) else self.none()

    def open(self) -> TicketQuerySet:
        # As a range, for which each database uses the index; SQLite reads the whole table for IS
        # NOT NULL.
        return self.filter(open_for__gt=0)

    def to_be_taken(self) -> TicketQuerySet:
        """No agent has taken them yet, though one may be named."""
        return self.open().exclude(status=Status.ANSWERING)

    def in_work(self) -> TicketQuerySet:
        return self.open().filter(status=Status.ANSWERING)

    def waited_for(self) -> TicketQuerySet:
        """Their customers wrote what nobody has answered yet."""
        return self.filter(waiting_since__isnull=False)

    def of(self, agent: Agent | None) -> TicketQuerySet:
        return self.open().filter(assignee=agent) if agent is not None else self.none()

    def resolved(self) -> TicketQuerySet:
        return self.filter(open_for__isnull=True)

    def by_urgency(self) -> TicketQuerySet:
        """Whose customer waits: the most pressing first, then the longest waiting. The answered
        ones behind them.
        """
        waits = models.F("waiting_since")
        return self.order_by(
            models.F("resolved_at").desc(nulls_first=True), waits.asc(nulls_last=True), "pk"
        )

    def by_resolution(self) -> TicketQuerySet:
        """The last resolved first."""
        return self.order_by("-resolved_at", "-pk")


class Ticket(models.Model):
    """One wish that a person serves. At most one is open per conversation: `open_for` is unique,
    emptied on close (MySQL has no partial unique index).
    """

    number = models.CharField(_("编号"), max_length=20, unique=True)
    reason = models.CharField(_("原因"), max_length=20, choices=Reason)
    customer = models.ForeignKey(
        Customer, models.CASCADE, verbose_name=_("客户"), related_name="tickets"
    )
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, verbose_name=_("会话"), related_name="tickets"
    )
    open_for = models.OneToOneField(
        Conversation, models.SET_NULL, null=True, editable=False, related_name="open_ticket"
    )
    status = models.CharField(_("状态"), max_length=12, choices=Status, default=Status.OPEN)
    priority = models.PositiveSmallIntegerField(
        _("优先级"), choices=Priority, default=Priority.NORMAL
    )
    assignee = models.ForeignKey(
        Agent,
        models.SET_NULL,
        verbose_name=_("负责人"),
        null=True,
        blank=True,
        related_name="tickets",
    )
    messages = models.ManyToManyField(
        Message, verbose_name=_("相关消息"), related_name="tickets", blank=True
    )
    created_at = models.DateTimeField(_("创建时间"), default=timezone.now)
    # When the customer wrote what no agent has answered yet; empty once an agent replied.
    waiting_since = models.DateTimeField(_("等待"), null=True, editable=False, db_index=True)
    resolved_at = models.DateTimeField(_("解决时间"), null=True, editable=False)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("one", "工单")
        verbose_name_plural = pgettext_lazy("many", "工单")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["created_at"], name="ticket_by_time"),
            models.Index(fields=["resolved_at"], name="ticket_by_resolution"),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def is_open(self) -> bool:
        return self.open_for_id is not None


class EventKind(models.TextChoices):
    OPENED = "opened", _("已转人工：{reason}")
    ASSIGNED = "assigned", _("分配给{agent}")
    TAKEN = "taken", _("{agent}接手")
    RESOLVED = "resolved", _("{agent}标记为已解决，机器人继续接待")
    CANCELLED = "cancelled", _("客户取消了人工，机器人继续接待")


class TicketEvent(models.Model):
    """What happened to a ticket: the small lines between the bubbles."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="events")
    kind = models.CharField(_("事件"), max_length=12, choices=EventKind)
    agent = models.ForeignKey(Agent, models.SET_NULL, verbose_name=_("客服"), null=True)
    created_at = models.DateTimeField(_("时间"), default=timezone.now)

    class Meta:
        verbose_name = pgettext_lazy("one", "工单事件")
        verbose_name_plural = pgettext_lazy("many", "工单事件")
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.in_words

    @property
    def in_words(self) -> str:
        who = str(self.agent) if self.agent else "—"
        text = self.get_kind_display().format(
            agent=f" {who} ", reason=self.ticket.get_reason_display()
        )
        return " ".join(text.split())
