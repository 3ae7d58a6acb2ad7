"""Who writes to us, and how much WeChat still lets us answer them."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common import clock
from common.admin_cells import cut, moment_of
from common.admin_filters import TimeFilter
from common.admin_pages import AdminPage
from conversations.admin.words import FIRST_MESSAGE
from conversations.models import Customer
from conversations.window import ledger


@admin.register(Customer)
class CustomerAdmin(AdminPage):
    list_display = [
        "show_name",
        "account",
        "subscribed",
        moment_of(Customer, "created_at"),
        "show_sends_left",
        moment_of(Customer, "message_window_until"),
    ]
    list_filter = ["account", "subscribed", ("created_at", TimeFilter)]
    search_fields = ["openid", "remark"]
    search_help_text = _("搜索备注名或 OpenID")
    fields = [
        "remark",
        "account",
        "openid",
        "subscribed",
        "created_at",
        "message_sends_left",
        "message_window_until",
        "event_sends_left",
        "event_window_until",
    ]
    readonly_fields = fields[1:]
    compressed_fields = True
    list_prefetch = ["account"]
    ordering = ["-pk"]
    empty_text = _("关注公众号或发来消息的客户会出现在这里。")
    empty_step = FIRST_MESSAGE

    @display(description=_("客户"), ordering="remark")
    def show_name(self, customer: Customer) -> str:
        return cut(str(customer), 20)

    @display(description=_("还可发"))
    def show_sends_left(self, customer: Customer) -> str:
        return _("%d 条") % ledger.sends_left(customer, clock.now())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
