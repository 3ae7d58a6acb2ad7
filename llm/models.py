"""Language models that we may ask, and the log of every call."""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.secret_field import SecretField
from llm.validation import endpoint_url, header_value

REFUSAL_KEPT = timedelta(days=7)
# An endpoint that refused without saying what may only have had a bad minute.
GUESS_KEPT = timedelta(hours=1)


class LanguageModel(models.Model):
    """One model behind an OpenAI-compatible endpoint. Lower `position` is asked first, the next
    ones are fallbacks.
    """

    name = models.CharField(_("名称"), max_length=60, unique=True)
    # Not a URLField: that one refuses host names without a dot, such as a service of docker
    # compose.
    base_url = models.CharField(
        _("接口地址"),
        max_length=200,
        validators=[endpoint_url],
        help_text=_("OpenAI 兼容，如 https://api.deepseek.com/v1"),
    )
    api_key = SecretField("API Key", max_length=200, blank=True, validators=[header_value])
    model = models.CharField(_("模型"), max_length=100)
    position = models.PositiveSmallIntegerField(
        _("顺序"), default=10, help_text=_("数字小的先用，其余为备用")
    )
    enabled = models.BooleanField(_("启用"), default=True)
    from_environment = models.BooleanField(_("来自环境变量"), default=False, editable=False)
    max_in_flight = models.PositiveSmallIntegerField(
        _("最大并发"),
        default=200,
        validators=[MinValueValidator(1)],
        help_text=_("所有进程合计，超出时改用下一个模型"),
    )
    temperature = models.FloatField(
        _("温度"), default=0.7, validators=[MinValueValidator(0.0), MaxValueValidator(2.0)]
    )
    max_tokens = models.PositiveIntegerField(
        _("最大输出 token"), default=500, validators=[MinValueValidator(1)]
    )
    connect_timeout = models.FloatField(
        _("连接超时（秒）"), default=3, validators=[MinValueValidator(0.1)]
    )
    first_token_timeout = models.FloatField(
        _("首字超时（秒）"), default=8, validators=[MinValueValidator(0.1)]
    )
    between_tokens_timeout = models.FloatField(
        _("字间超时（秒）"),
        default=10,
        db_default=10,
        validators=[MinValueValidator(0.1)],
        help_text=_("回答中途停顿超过这个时间，就改问下一个模型"),
    )
    total_timeout = models.FloatField(
        _("总超时（秒）"), default=40, validators=[MinValueValidator(0.1)]
    )
    # What the endpoint was found not to take (see payload.py); learned anew when it changes or is
    # tested, and after some days: endpoints learn too.
    refused_parameters = models.JSONField(_("接口不接受的参数"), default=list, editable=False)
    refused_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = pgettext_lazy("one", "语言模型")
        verbose_name_plural = pgettext_lazy("many", "语言模型")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def left_out(self) -> frozenset[str]:
        """What is left out of a call today."""
        is_old = self.refused_at is not None and timezone.now() - self.refused_at > REFUSAL_KEPT
        return frozenset() if is_old else frozenset(self.refused_parameters)


class Outcome(models.TextChoices):
    OK = "ok", _("成功")
    TIMEOUT = "timeout", _("超时")
    RATE_LIMITED = "rate_limited", _("被限流")
    REFUSED = "refused", _("被拒绝")
    FAILED = "failed", _("服务出错")
    BROKEN = "broken", _("中途断开")
    NONSENSE = "nonsense", _("无法识别的应答")
    BUSY = "busy", _("并发已满")
    OPEN = "open", _("熔断中")


class ModelCall(models.Model):
    """One call, as it went: what it cost in time and tokens, and how it ended."""

    language_model = models.ForeignKey(
        LanguageModel, models.SET_NULL, verbose_name=_("语言模型"), null=True, related_name="calls"
    )
    model = models.CharField(_("模型"), max_length=100)
    # The caller's word for what the call was made for: opaque here, joined by above.
    key = models.CharField(
        _("来源标识"), max_length=64, blank=True, default="", db_default="", db_index=True
    )
    # What the provider saw as the session. Only the former release writes it.
    session_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )
    outcome = models.CharField(_("结果"), max_length=16, choices=Outcome)
    error = models.CharField(_("错误"), max_length=300, blank=True)
    prompt_tokens = models.PositiveIntegerField(_("输入 token"), null=True)
    completion_tokens = models.PositiveIntegerField(_("输出 token"), null=True)
    first_token_ms = models.PositiveIntegerField(_("首字毫秒"), null=True)
    total_ms = models.PositiveIntegerField(_("总毫秒"), null=True)
    created_at = models.DateTimeField(_("时间"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "模型调用")
        verbose_name_plural = pgettext_lazy("many", "模型调用")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.model} {self.get_outcome_display()}"
