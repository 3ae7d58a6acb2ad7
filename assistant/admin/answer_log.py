"""How each answer was found: facts of the past, to read."""

from __future__ import annotations

from django.contrib import admin
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from assistant.answers import message_key
from assistant.models import AnswerLog, Source
from common.admin_cells import NOTHING, cut_of, link_by_key, link_to_list, moment_of, seconds
from common.admin_filters import TimeFilter, WordsFilter
from common.admin_pages import ReadOnlyPage, Step
from conversations.models import Conversation, Message
from knowledge.models import FAQ
from llm.models import ModelCall

# The keys are those of `assistant.answers.Doubt`.
DOUBTS: dict[str, str | Promise] = {
    "customer_asked": _("客户要求人工"),
    "nothing_matched": _("没有匹配的答案"),
    "model_unsure": _("模型无法回答"),
    "model_down": _("模型不可用"),
    "model_busy": _("模型繁忙"),
}


class DoubtFilter(WordsFilter):
    title = _("存疑")
    parameter_name = column = "doubt"
    words = DOUBTS


@admin.register(AnswerLog)
class AnswerLogAdmin(ReadOnlyPage):
    list_display = [
        moment_of(AnswerLog, "created_at"),
        cut_of(AnswerLog, "question"),
        cut_of(AnswerLog, "answer"),
        "source_label",
        "doubt_words",
        "confidence_percent",
        "took",
    ]
    list_display_links = list_display[:2]
    list_filter = [
        "source",
        DoubtFilter,
        ("created_at", TimeFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    search_fields = ["question", "answer"]
    search_help_text = _("搜索问题或回答")
    show_full_result_count = False
    fields = [
        "question",
        "answer",
        "source",
        "doubt_words",
        "confidence_percent",
        "faq",
        "took",
        "created_at",
        "message",
        "conversation",
        "model_calls",
    ]
    readonly_fields = fields
    empty_text = _("机器人每回答一个问题，这里就记下答案是怎么找到的。")
    empty_step = Step(
        _("问机器人一个问题"), ("simulator:page", "admin:wechat_officialaccount_changelist")
    )

    @display(description=_("来源"), ordering="source", label=True)
    def source_label(self, entry: AnswerLog) -> str:
        return entry.get_source_display()

    @display(description=_("存疑"), ordering="doubt")
    def doubt_words(self, entry: AnswerLog) -> str:
        return str(DOUBTS.get(entry.doubt, entry.doubt or NOTHING))

    @display(description=_("置信度"), ordering="confidence")
    def confidence_percent(self, entry: AnswerLog) -> str:
        return NOTHING if entry.confidence is None else f"{entry.confidence:.0%}"

    @display(description=_("耗时"), ordering="milliseconds")
    def took(self, entry: AnswerLog) -> SafeString | str:
        return seconds(entry.milliseconds)

    @display(description="FAQ")
    def faq(self, entry: AnswerLog) -> SafeString | str:
        return link_by_key(FAQ, entry.faq_id)

    @display(description=_("消息"))
    def message(self, entry: AnswerLog) -> SafeString | str:
        return link_by_key(Message, entry.message_id)

    @display(description=_("会话"))
    def conversation(self, entry: AnswerLog) -> SafeString | str:
        return link_by_key(Conversation, entry.conversation_id)

    @display(description=_("模型调用"))
    def model_calls(self, entry: AnswerLog) -> SafeString | str:
        if entry.source != Source.MODEL or entry.message_id is None:
            return NOTHING
        return link_to_list(ModelCall, gettext("查看"), key=message_key(entry.message_id))
