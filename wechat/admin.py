"""Accounts in the admin. Secrets go in and never come out; what the environment sets is not changed
here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.admin_pages import AdminPage
from common.secret_field import SecretsAdminMixin
from wechat import accounts
from wechat.models import OfficialAccount
from wechat.tokens import drop_token

# As `wechat.console` has it for the log; a page has it in its reader's language.
PUSHES = _(
    "微信开发者平台 (developers.weixin.qq.com/platform) → 我的业务 → 公众号/服务号 → 基础信息 → "
    "域名与消息推送配置"
)
SECRETS = ("app_secret", "token", "aes_key", "previous_aes_key")
FROM_ENVIRONMENT = ("slug", "app_id", "reply_mode", "encrypted_only", "is_default", "enabled")


@admin.register(OfficialAccount)
class OfficialAccountAdmin(SecretsAdminMixin, AdminPage):
    list_display = (
        "name",
        "slug",
        "app_id",
        "replies_by",
        "is_default",
        "enabled",
        "from_environment",
    )
    list_filter = ("enabled", "reply_mode")
    search_fields = ("name", "slug", "app_id", "original_id")
    actions = ("try_api_again",)
    empty_text = _("先添加公众号，再把这里显示的服务器地址填到微信开发者平台，客户的消息就会进来。")
    readonly_fields = ("callback_url", "replies_by", "sealing", "previous_key", "origin")
    fieldsets = (
        (None, {"fields": ("name", "slug", "origin", "enabled", "is_default")}),
        (
            _("微信开发者平台「域名与消息推送配置」"),
            {
                "fields": (
                    *("callback_url", "app_id", "app_secret", "token"),
                    *("aes_key", "previous_aes_key", "previous_key"),
                ),
                "description": format_lazy(
                    _("把服务器地址、Token、EncodingAESKey 填到 {where}，两边必须一致。"),
                    where=PUSHES,
                ),
            },
        ),
        (
            _("回复与安全"),
            {"fields": ("reply_mode", "replies_by", "encrypted_only", "sealing", "original_id")},
        ),
    )

    @admin.display(description=_("服务器地址 (URL)"))
    def callback_url(self, account: OfficialAccount) -> SafeString | str:
        if not account.slug:
            return gettext("保存后显示")
        paths = (
            ["/wechat", f"/wechat/{account.slug}"]
            if account.is_default
            else [f"/wechat/{account.slug}"]
        )
        return format_html_join(
            SafeString("<br>"), "<code>{}{}</code>", ((settings.PUBLIC_URL, path) for path in paths)
        )

    @admin.display(description=_("当前回复方式"))
    def replies_by(self, account: OfficialAccount) -> str:
        if account.may_send:
            return gettext("客服接口")
        if account.api_refused_at is None:
            return gettext("仅被动回复")
        when = {"when": _minute(account.api_refused_at)}
        return gettext("仅被动回复（%(when)s 微信拒绝客服接口：48001）") % when

    @admin.display(description=_("推送方式"))
    def sealing(self, account: OfficialAccount) -> SafeString | str:
        if not account.takes_sealed_only:
            return gettext("接收明文推送：请求地址泄露后，一小时内可能被他人利用。")
        if account.plain_refused_at is None:
            return gettext("只接收加密推送")
        when = {"when": _minute(account.plain_refused_at), "where": PUSHES}
        text = gettext(
            "%(when)s 拒绝了明文推送，顾客的消息没有收到。请到 %(where)s，"
            "把消息加解密方式改为「安全模式」（或「兼容模式」）。"
        )
        return format_html("<strong>{}</strong>", text % when)

    @admin.display(description=_("上一个密钥的有效期"))
    def previous_key(self, account: OfficialAccount) -> str:
        until = account.previous_key_until
        if until is None:
            return gettext("没有上一个密钥")
        if until <= timezone.now():
            return gettext("%(when)s 起已失效") % {"when": _minute(until)}
        return gettext("有效至 %(when)s") % {"when": _minute(until)}

    @admin.display(description=_("来源"))
    def origin(self, account: OfficialAccount) -> SafeString | str:
        if not account.from_environment:
            return gettext("在后台添加")
        text = gettext("来自环境变量 WECHAT_…，每次启动时更新。密钥和网址标识请在环境变量中修改。")
        return format_html("<strong>{}</strong>", text)

    @admin.action(description=_("重新尝试客服接口（认证通过后）"))
    def try_api_again(self, request: HttpRequest, queryset: QuerySet[OfficialAccount]) -> None:
        for account in queryset:
            accounts.try_api_again(account.pk)
        messages.success(request, gettext("已恢复，下一条回复将使用客服接口。"))

    def get_readonly_fields(
        self, request: HttpRequest, obj: OfficialAccount | None = None
    ) -> tuple[str, ...]:
        return (*self.readonly_fields, *(FROM_ENVIRONMENT if obj and obj.from_environment else ()))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """A secret cannot be a read-only field, that would print it: its
        input is disabled instead.
        """
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and obj.from_environment:
            for name in SECRETS:
                form.base_fields[name].disabled = True
        return form

    def has_delete_permission(
        self, request: HttpRequest, obj: OfficialAccount | None = None
    ) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.from_environment)

    def save_model(
        self, request: HttpRequest, obj: OfficialAccount, form: forms.ModelForm, change: bool
    ) -> None:
        if "previous_aes_key" in form.changed_data:
            obj.keep_previous_key(obj.previous_aes_key)
        elif "aes_key" in form.changed_data:
            obj.keep_previous_key(self._stored(obj).aes_key)
        if {"app_secret", "reply_mode"} & set(form.changed_data):
            obj.api_refused_at = None
        super().save_model(request, obj, form, change)
        if {"app_secret", "app_id"} & set(form.changed_data):
            drop_token(obj.app_id)
        if obj.is_default:
            accounts.make_default(obj)
        accounts.changed()

    def delete_model(self, request: HttpRequest, obj: OfficialAccount) -> None:
        super().delete_model(request, obj)
        accounts.changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[OfficialAccount]) -> None:
        """Of many, those of the environment stay: they would be back at the next start."""
        super().delete_queryset(request, queryset.filter(from_environment=False))
        accounts.changed()

    def _stored(self, account: OfficialAccount) -> OfficialAccount:
        return OfficialAccount.objects.filter(pk=account.pk).first() or OfficialAccount()


def _minute(moment: datetime) -> str:
    return date_format(localtime(moment), "Y-m-d H:i")
