"""What we said, and whether it arrived."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin_cells import NOTHING, cut, cut_of, moment_of
from common.admin_filters import TimeFilter, WordsFilter
from common.admin_pages import ReadOnlyPage
from conversations.admin.words import FIRST_MESSAGE, REPLY_COLOURS, SOURCES
from conversations.models import Reply
from conversations.reasons import reason_words
from wechat.replies import without_links


class SourceFilter(WordsFilter):
    title = _("来源")
    parameter_name = column = "source"
    words = SOURCES


class PartFilter(WordsFilter):
    """A long answer goes out in parts: to count answers, count their first parts."""

    title = _("分段")
    parameter_name = column = "part"
    words = {"1": _("只看第一段")}


@admin.register(Reply)
class ReplyAdmin(ReadOnlyPage):
    list_display = [
        moment_of(Reply, "created_at"),
        "show_text",
        "author",
        "show_source",
        "show_state",
        "channel",
        cut_of(Reply, "reason", 16, reason_words),
    ]
    list_display_links = list_display[:2]
    list_filter = [
        "state",
        SourceFilter,
        "author",
        "channel",
        ("created_at", TimeFilter),
        PartFilter,
    ]
    search_fields = ["text", "conversation__customer__openid"]
    search_help_text = _("搜索内容或 OpenID")
    # As for messages: joined, MySQL would sort them all. The list needs no other row.
    ordering = ["-created_at"]
    fields = [
        "conversation",
        "message",
        "part",
        "author",
        "agent_name",
        "show_source",
        "whole_text",
        "state",
        "channel",
        "tries",
        "due_at",
        "created_at",
        "sent_at",
        "show_reason",
    ]
    readonly_fields = fields
    empty_text = _("机器人、客服和系统发给客户的话会出现在这里。")
    empty_step = FIRST_MESSAGE

    @display(description=_("内容"))
    def show_text(self, reply: Reply) -> str:
        return cut(without_links(reply.text))

    @display(description=_("内容"))
    def whole_text(self, reply: Reply) -> str:
        return without_links(reply.text)

    @display(description=_("原因"))
    def show_reason(self, reply: Reply) -> str:
        return reason_words(reply.reason) or NOTHING

    @display(description=_("来源"), ordering="source")
    def show_source(self, reply: Reply) -> str:
        return str(SOURCES.get(reply.source, reply.source)) or NOTHING

    @display(description=_("状态"), ordering="state", label=REPLY_COLOURS)
    def show_state(self, reply: Reply) -> tuple[str, str]:
        return reply.state, reply.get_state_display()
