"""What was said, below the row it belongs to."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from common.admin_cells import cut, cut_of, moment_of
from conversations.models import Message, Reply
from conversations.reasons import reason_words
from wechat.kinds import label_of
from wechat.replies import without_links


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False
    hide_title = True
    per_page = 30

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class MessageInline(ReadOnlyInline):
    model = Message
    fields = [moment_of(Message, "sent_at"), "show_kind", "show_text", "state"]
    readonly_fields = fields
    ordering = ["-sent_at"]
    verbose_name_plural = _("客户消息")

    @display(description=_("类型"))
    def show_kind(self, message: Message) -> str:
        return label_of(message.kind)

    @display(description=_("内容"))
    def show_text(self, message: Message) -> SafeString:
        return _linked(message, cut(message.text) if message.text else label_of(message.kind))


class ReplyInline(ReadOnlyInline):
    model = Reply
    fields = [
        moment_of(Reply, "created_at"),
        "author",
        "show_text",
        "state",
        "channel",
        cut_of(Reply, "reason", 30, reason_words),
    ]
    readonly_fields = fields
    ordering = ["-created_at"]

    @display(description=_("内容"))
    def show_text(self, reply: Reply) -> SafeString:
        return _linked(reply, cut(without_links(reply.text)))


def _linked(row: Model, words: SafeString | str) -> SafeString:
    """In place of the line that the theme puts above each row, which says the same twice."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', address, words)
