"""Customers, conversations and messages to read. Nothing here is written by hand, but a customer's remark and texts."""

from __future__ import annotations

from string import Formatter
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from conversations.models import BotText, Conversation, Customer, Message, MessageState, Owner, Reply, ReplyState
from conversations.moments import MOMENTS
from conversations.texts import DEFAULTS, default_text, forget_own_words
from wechat.replies import without_links


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the product writes: seen by all who may view them, changed by nobody."""

    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True
    per_page = 30

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class MessageInline(ReadOnlyInline):
    model = Message
    fields = ["sent_at", "kind", "text", "state", "deliveries", "ended_with"]
    readonly_fields = fields
    ordering = ["-sent_at"]
    verbose_name_plural = _("客户消息")


class ReplyInline(ReadOnlyInline):
    model = Reply
    fields = ["created_at", "author", "text", "state", "channel", "reason"]
    readonly_fields = fields
    ordering = ["-created_at"]


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    list_display = ["__str__", "account", "subscribed", "created_at", "message_sends_left", "message_window_until"]
    list_filter = ["account", "subscribed"]
    search_fields = ["openid", "remark"]
    fields = [
        "remark", "account", "openid", "subscribed", "created_at", "message_sends_left", "message_window_until",
        "event_sends_left", "event_window_until",
    ]  # fmt: skip
    readonly_fields = fields[1:]
    list_select_related = ["account"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "account", "show_owner", "last_message_at", "created_at"]
    list_filter = ["owner", "account"]
    search_fields = ["customer__openid", "customer__remark"]
    list_select_related = ["account", "customer"]
    ordering = ["-last_message_at"]
    fields = ["customer", "account", "owner", "last_message_at", "created_at"]
    inlines = [MessageInline, ReplyInline]

    @display(
        description=_("接待方"),
        ordering="owner",
        label={str(Owner.BOT): "info", str(Owner.QUEUE): "warning", str(Owner.AGENT): "success"},
    )
    def show_owner(self, conversation: Conversation) -> tuple[str, str]:
        return conversation.owner, conversation.get_owner_display()


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["sent_at", "show_text", "kind", "show_state", "conversation", "deliveries", "attempt", "account"]
    list_filter = ["state", "kind", "account", "sent_at"]
    search_fields = ["text", "openid"]
    list_select_related = ["account", "conversation__customer"]
    ordering = ["-sent_at"]
    fields = [
        "conversation", "account", "openid", "kind", "text", "fields", "raw", "sent_at", "received_at", "deliveries",
        "state", "attempt", "ended_with", "passive_text", "note",
    ]  # fmt: skip
    inlines = [ReplyInline]

    @display(description=_("内容"))
    def show_text(self, message: Message) -> str:
        return message.text[:60] or "—"

    @display(
        description=_("状态"),
        ordering="state",
        label={
            str(MessageState.RECEIVED): "warning",
            str(MessageState.ANSWERING): "info",
            str(MessageState.ANSWERED): "success",
            str(MessageState.HANDED_OVER): "primary",
        },
    )
    def show_state(self, message: Message) -> tuple[str, str]:
        return message.state, message.get_state_display()


@admin.register(Reply)
class ReplyAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "show_text", "author", "source", "show_state", "channel", "tries", "reason"]
    list_filter = ["state", "author", "source", "channel", "created_at"]
    search_fields = ["text", "conversation__customer__openid"]
    ordering = ["-created_at"]
    fields = [
        "conversation", "message", "part", "author", "agent_name", "source", "text", "state", "channel", "tries",
        "due_at", "created_at", "sent_at", "reason",
    ]  # fmt: skip

    @display(description=_("内容"))
    def show_text(self, reply: Reply) -> str:
        return without_links(reply.text)[:60]

    @display(
        description=_("状态"),
        ordering="state",
        label={
            str(ReplyState.SENT): "success",
            str(ReplyState.READY): "info",
            str(ReplyState.SENDING): "info",
            str(ReplyState.WAITING_FOR_CUSTOMER): "warning",
            str(ReplyState.UNKNOWN): "danger",
            str(ReplyState.FAILED): "danger",
        },
    )
    def show_state(self, reply: Reply) -> tuple[str, str]:
        return reply.state, reply.get_state_display()


def _moments() -> list[tuple[str, str]]:
    return [(moment, gettext("：").join([str(MOMENTS[moment]), default_text(moment)[:40]])) for moment in DEFAULTS]


class BotTextForm(forms.ModelForm):
    moment = forms.ChoiceField(
        label=_("场合"), choices=_moments, help_text=_("冒号后是默认的说法"), widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = BotText
        fields = ["account", "moment", "text"]

    def clean(self) -> dict[str, Any]:
        """Words that cannot be filled would silently fall back to the default."""
        values = super().clean() or {}
        moment, text = values.get("moment"), values.get("text")
        if moment and text:
            known = _names_in(default_text(moment))
            try:
                unknown = _names_in(text) - known
            except ValueError as error:
                raise forms.ValidationError({"text": _("花括号不成对。")}) from error
            if unknown:
                names = gettext("、").join(f"{{{name}}}" for name in sorted(known)) or _("无")
                raise forms.ValidationError({"text": _("只能使用这些占位符：{names}").format(names=names)})
            if len(text) > (longest := _longest(moment)):
                raise forms.ValidationError({"text": _("最多 {n} 个字。").format(n=longest)})
        return values


def _longest(moment: str) -> int:
    """In characters. Words with a link follow a full part in the same message, where little room is left."""
    if moment.endswith("_link"):
        return 12
    return 30 if "link" in _names_in(default_text(moment)) else 500


def _names_in(text: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in Formatter().parse(text) if name is not None}


@admin.register(BotText)
class BotTextAdmin(ModelAdmin):
    """The bot's words at each moment, where an account wants others than the default."""

    list_display = ["show_moment", "account", "text"]
    list_filter = ["account"]
    form = BotTextForm

    @display(description=_("场合"), ordering="moment")
    def show_moment(self, text: BotText) -> str:
        return str(MOMENTS.get(text.moment, text.moment))

    def save_model(self, request: HttpRequest, obj: BotText, form: object, change: bool) -> None:
        super().save_model(request, obj, form, change)
        forget_own_words()

    def get_queryset(self, request: HttpRequest) -> QuerySet[BotText]:
        return super().get_queryset(request).select_related("account")
