"""Who serves which customer, and what was said."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin_cells import cut, moment_of
from common.admin_filters import TimeFilter
from common.admin_pages import ReadOnlyPage
from conversations.admin.inlines import MessageInline, ReplyInline
from conversations.admin.words import FIRST_MESSAGE, OWNER_COLOURS
from conversations.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyPage):
    list_display = [
        "show_customer",
        "account",
        "show_owner",
        moment_of(Conversation, "last_message_at"),
        moment_of(Conversation, "created_at"),
    ]
    list_filter = ["owner", ("last_message_at", TimeFilter), "account"]
    search_fields = ["customer__openid", "customer__remark"]
    search_help_text = _("搜索备注名或 OpenID")
    list_prefetch = ["account", "customer"]
    ordering = ["-last_message_at"]
    fields = ["customer", "account", "owner", "last_message_at", "created_at"]
    inlines = [MessageInline, ReplyInline]
    empty_text = _("客户在微信里开口之后，会话会出现在这里。")
    empty_step = FIRST_MESSAGE

    @display(description=_("客户"))
    def show_customer(self, conversation: Conversation) -> str:
        return cut(str(conversation), 20)

    @display(description=_("接待方"), ordering="owner", label=OWNER_COLOURS)
    def show_owner(self, conversation: Conversation) -> tuple[str, str]:
        return conversation.owner, conversation.get_owner_display()
