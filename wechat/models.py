"""The Official Accounts (公众号 / 服务号) that we answer for."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.secret_field import SecretField

aes_key_format = RegexValidator(
    r"^[A-Za-z0-9]{43}\Z", _("EncodingAESKey 是 43 个字母或数字。"), code="aes_key"
)
token_format = RegexValidator(
    r"^[A-Za-z0-9]{3,32}\Z", _("Token 是 3 到 32 个字母或数字。"), code="token"
)


class ReplyMode(models.TextChoices):
    AUTO = "auto", _("自动判断")
    API = "api", _("客服接口（已认证）")
    PASSIVE = "passive", _("仅被动回复（未认证）")


class OfficialAccount(models.Model):
    """One account and how it may reply. Secrets are encrypted at rest and never shown."""

    slug = models.SlugField(_("网址标识"), unique=True, help_text=_("回调地址为 /wechat/网址标识"))
    name = models.CharField(_("名称"), max_length=60)
    app_id = models.CharField("AppID", max_length=64, unique=True)
    original_id = models.CharField(
        _("原始 ID"), max_length=64, blank=True, help_text=_("gh_ 开头，可不填")
    )
    app_secret = SecretField("AppSecret", max_length=128, blank=True)
    token = SecretField("Token", max_length=64, validators=[token_format])
    aes_key = SecretField("EncodingAESKey", max_length=64, blank=True, validators=[aes_key_format])
    previous_aes_key = SecretField(
        _("上一个 EncodingAESKey"),
        max_length=64,
        blank=True,
        validators=[aes_key_format],
        help_text=_("更换密钥后的一段时间内两个都有效"),
    )
    aes_key_replaced_at = models.DateTimeField(
        _("密钥更换时间"), null=True, blank=True, editable=False
    )
    encrypted_only = models.BooleanField(
        _("只接收加密推送"),
        default=True,
        db_default=True,
        help_text=_(
            "配置了 EncodingAESKey 才起作用：明文推送一律拒绝。没有密钥的账号照常接收明文。"
        ),
    )
    plain_refused_at = models.DateTimeField(
        _("最近拒绝明文推送的时间"), null=True, blank=True, editable=False
    )
    reply_mode = models.CharField(
        _("回复方式"), max_length=8, choices=ReplyMode, default=ReplyMode.AUTO
    )
    api_refused_at = models.DateTimeField(
        _("接口被拒时间"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("微信返回 48001 后自动改为仅被动回复"),
    )
    is_default = models.BooleanField(
        _("默认账号"), default=False, help_text=_("/wechat 对应的账号")
    )
    enabled = models.BooleanField(_("启用"), default=True)
    from_environment = models.BooleanField(_("来自环境变量"), default=False, editable=False)
    created_at = models.DateTimeField(_("添加时间"), auto_now_add=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "公众号")
        verbose_name_plural = pgettext_lazy("many", "公众号")

    def __str__(self) -> str:
        return self.name

    @property
    def may_send(self) -> bool:
        """Whether the customer-service API is ours to call (verified account)."""
        if self.reply_mode == ReplyMode.API:
            return self.api_refused_at is None
        return (
            self.reply_mode == ReplyMode.AUTO
            and bool(self.app_secret)
            and self.api_refused_at is None
        )

    @property
    def takes_sealed_only(self) -> bool:
        """Without a key there is nothing to open a sealed push with: such an account takes plain
        ones.
        """
        return self.encrypted_only and bool(self.aes_key)

    @property
    def previous_key_until(self) -> datetime | None:
        """Until when the key before is valid; None: there is none, or nobody knows since when."""
        if not self.previous_aes_key or self.aes_key_replaced_at is None:
            return None
        return self.aes_key_replaced_at + timedelta(hours=settings.WECHAT_PREVIOUS_AES_KEY_HOURS)

    def replace_aes_key(self, new: str) -> None:
        """Take a new EncodingAESKey; the one before stays valid, WeChat may still use it for a
        while.
        """
        if new != self.aes_key:
            self.keep_previous_key(self.aes_key)
            self.aes_key = new

    def keep_previous_key(self, key: str) -> None:
        self.previous_aes_key, self.aes_key_replaced_at = key, timezone.now()
