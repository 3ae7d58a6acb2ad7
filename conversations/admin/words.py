"""Codes of messages and replies in words, with the colour of each state. Colour never says it
alone.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.admin_pages import Step
from conversations.models import Ending, MessageState, Owner, ReplyState

# A reply keeps its source as a plain key: the floor above says what the keys are
# (`assistant.models.Source`).
SOURCES: dict[str, str | Promise] = {
    "faq": "FAQ",
    "menu": _("候选问题"),
    "cache": _("答案缓存"),
    "model": _("模型"),
    "smalltalk": _("寒暄"),
    "blocked": _("敏感词"),
    "system": _("系统"),
    "none": _("无"),
}
ENDINGS: dict[str, str | Promise] = {
    str(Ending.OPEN): _("还没有应答"),
    str(Ending.SUCCESS): _("只确认收到"),
    str(Ending.TEXT): _("随应答回复"),
}
OWNER_COLOURS = {str(Owner.BOT): "info", str(Owner.QUEUE): "warning", str(Owner.AGENT): "success"}
MESSAGE_COLOURS = {
    str(MessageState.RECEIVED): "warning",
    str(MessageState.ANSWERING): "info",
    str(MessageState.ANSWERED): "success",
    str(MessageState.HANDED_OVER): "primary",
    str(MessageState.IGNORED): "default",
}
REPLY_COLOURS = {
    str(ReplyState.READY): "info",
    str(ReplyState.SENDING): "info",
    str(ReplyState.SENT): "success",
    str(ReplyState.WAITING_FOR_CUSTOMER): "warning",
    str(ReplyState.WITHDRAWN): "default",
    str(ReplyState.UNKNOWN): "danger",
    str(ReplyState.FAILED): "danger",
}
# Without the simulator the first customer comes through an account that is connected.
FIRST_MESSAGE = Step(
    _("发出第一条消息"), ("simulator:page", "admin:wechat_officialaccount_changelist")
)
