"""People who help: agents, and the tickets that they work on."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Customer, Message


class Agent(models.Model):
    """The profile of a staff user who answers customers."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("用户"))
    display_name = models.CharField(_("显示名"), max_length=60)
    active = models.BooleanField(_("接单中"), default=True)

    class Meta:
        verbose_name = _("客服人员")
        verbose_name_plural = _("客服人员")

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


class Ticket(models.Model):
    """One wish that a person serves. At most one is open per conversation: `open_for` is unique, emptied on close
    (MySQL has no partial unique index)."""

    number = models.CharField(_("编号"), max_length=20, unique=True)
    reason = models.CharField(_("原因"), max_length=20, choices=Reason)
    customer = models.ForeignKey(Customer, models.CASCADE, verbose_name=_("客户"), related_name="tickets")
    conversation = models.ForeignKey(Conversation, models.CASCADE, verbose_name=_("会话"), related_name="tickets")
    open_for = models.OneToOneField(
        Conversation, models.SET_NULL, null=True, editable=False, related_name="open_ticket"
    )
    status = models.CharField(_("状态"), max_length=12, choices=Status, default=Status.OPEN)
    priority = models.PositiveSmallIntegerField(_("优先级"), choices=Priority, default=Priority.NORMAL)
    assignee = models.ForeignKey(
        Agent, models.SET_NULL, verbose_name=_("负责人"), null=True, blank=True, related_name="tickets"
    )
    messages = models.ManyToManyField(Message, verbose_name=_("相关消息"), related_name="tickets", blank=True)
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)
    resolved_at = models.DateTimeField(_("解决时间"), null=True, editable=False)

    class Meta:
        verbose_name = _("工单")
        verbose_name_plural = _("工单")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"#{self.number}"
