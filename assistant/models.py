"""How the assistant speaks, what it must not say, and how each answer was found."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from wechat.models import OfficialAccount


class Persona(models.Model):
    """Who the assistant is for one account: the text that opens every model call."""

    account = models.OneToOneField(OfficialAccount, models.CASCADE, verbose_name=_("公众号"))
    prompt = models.TextField(_("人设"), help_text=_("告诉模型它是谁、怎么说话、什么不能说"))

    class Meta:
        verbose_name = pgettext_lazy("one", "人设")
        verbose_name_plural = pgettext_lazy("many", "人设")

    def __str__(self) -> str:
        return str(self.account)


class Direction(models.TextChoices):
    BOTH = "both", _("问和答")
    IN = "in", _("客户的话")
    OUT = "out", _("机器人的话")


class BlockedTerm(models.Model):
    term = models.CharField(_("词语"), max_length=60, unique=True)
    direction = models.CharField(_("检查"), max_length=4, choices=Direction, default=Direction.BOTH)
    enabled = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "敏感词")
        verbose_name_plural = pgettext_lazy("many", "敏感词")

    def __str__(self) -> str:
        return self.term


class Source(models.TextChoices):
    """Where an answer came from."""

    FAQ = "faq", "FAQ"
    MENU = "menu", _("候选问题")
    CACHE = "cache", _("答案缓存")
    MODEL = "model", _("模型")
    SMALLTALK = "smalltalk", _("寒暄")
    BLOCKED = "blocked", _("敏感词")
    SYSTEM = "system", _("系统")
    NONE = "none", _("无")


class AnswerLog(models.Model):
    """How one question was answered."""

    # Plain keys, no foreign keys: a log neither holds up the deletion of a row nor goes with it.
    account_id = models.BigIntegerField(_("公众号"), null=True)
    conversation_id = models.BigIntegerField(_("会话"), null=True)
    message_id = models.BigIntegerField(_("消息"), null=True, db_index=True)
    # What the provider saw as the session. Only the former release writes it.
    session_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )
    question = models.TextField(_("问题"))
    answer = models.TextField(_("回答"), blank=True)
    source = models.CharField(_("来源"), max_length=12, choices=Source)
    doubt = models.CharField(_("存疑"), max_length=20, blank=True)
    confidence = models.FloatField(_("置信度"), null=True)
    faq_id = models.BigIntegerField("FAQ", null=True)
    milliseconds = models.PositiveIntegerField(_("耗时毫秒"), null=True)
    created_at = models.DateTimeField(_("时间"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "回答记录")
        verbose_name_plural = pgettext_lazy("many", "回答记录")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["conversation_id", "created_at"], name="answer_by_conversation")
        ]

    def __str__(self) -> str:
        return self.question[:30]
