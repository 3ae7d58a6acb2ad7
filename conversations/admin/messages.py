"""What WeChat pushed to us, and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin_cells import NOTHING, cut, moment_of
from common.admin_filters import TimeFilter, WordsFilter
from common.admin_pages import ReadOnlyPage
from conversations.admin.inlines import ReplyInline
from conversations.admin.words import ENDINGS, FIRST_MESSAGE, MESSAGE_COLOURS
from conversations.models import Message, MessageState
from wechat.kinds import BY_CODE, is_event, label_of
from wechat.traits import Expects

TO_ANSWER = "to_answer"


def _worth_a_choice() -> dict[str, Any]:
    """Each kind of message, and the events that expect an answer."""
    return {
        code: kind.traits.label
        for code, kind in BY_CODE.items()
        if not is_event(code) or kind.traits.expects is Expects.ANSWER
    }


class KindFilter(WordsFilter):
    title = _("类型")
    parameter_name = column = "kind"
    words = {**_worth_a_choice(), "event": _("所有事件")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if self.value() == "event":
            return queryset.filter(kind__startswith="event.")
        return super().queryset(request, queryset)


class StateFilter(WordsFilter):
    """What needs no answer is most of what WeChat pushes: one choice leaves it out."""

    title = _("状态")
    parameter_name = column = "state"
    words = {TO_ANSWER: _("需要回答的"), **{str(state): state.label for state in MessageState}}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        if self.value() == TO_ANSWER:
            return queryset.exclude(state=MessageState.IGNORED)
        return super().queryset(request, queryset)


@admin.register(Message)
class MessageAdmin(ReadOnlyPage):
    list_display = [
        moment_of(Message, "received_at"),
        "show_text",
        "show_kind",
        "show_state",
        "show_customer",
        "account",
    ]
    list_display_links = list_display[:2]
    list_filter = [StateFilter, KindFilter, ("received_at", TimeFilter), "account"]
    search_fields = ["text", "openid"]
    search_help_text = _("搜索内容或 OpenID")
    # Joined, MySQL would begin with the account and sort all of its messages to show one page of
    # them.
    list_prefetch = ["account", "conversation__customer"]
    ordering = ["-received_at"]
    fields = [
        "conversation",
        "account",
        "openid",
        "show_kind",
        "text",
        "fields",
        "raw",
        "sent_at",
        "received_at",
        "deliveries",
        "state",
        "attempt",
        "show_ending",
        "passive_text",
        "note",
    ]
    readonly_fields = fields
    inlines = [ReplyInline]
    empty_text = _("客户在微信里说的话、点的菜单会出现在这里。")
    empty_step = FIRST_MESSAGE

    def get_fields(self, request: HttpRequest, obj: Message | None = None) -> list[Any]:
        """What most messages do not have is only shown where it is."""
        rare = ("fields", "raw", "passive_text", "note")
        return [name for name in self.fields if name not in rare or getattr(obj, name, None)]

    @display(description=_("内容"))
    def show_text(self, message: Message) -> str:
        return cut(message.text) if message.text else f"[{label_of(message.kind)}]"

    @display(description=_("类型"), ordering="kind")
    def show_kind(self, message: Message) -> str:
        return label_of(message.kind)

    @display(description=_("客户"))
    def show_customer(self, message: Message) -> str:
        return cut(str(message.conversation), 12) if message.conversation else NOTHING

    @display(description=_("状态"), ordering="state", label=MESSAGE_COLOURS)
    def show_state(self, message: Message) -> tuple[str, str]:
        return message.state, message.get_state_display()

    @display(description=_("推送应答"))
    def show_ending(self, message: Message) -> str:
        return str(ENDINGS.get(message.ended_with, message.ended_with))
