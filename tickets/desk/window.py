"""The reply window in words: what sending will do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from conversations.models import Conversation
from conversations.replies.routes import route_of
from conversations.window import ledger
from conversations.window.ledger import OpenWindow
from tickets.desk.durations import in_words


@dataclass(frozen=True)
class ReplyWindow:
    """`is_open`: a text goes out at once. Else it waits for the customer's next message.

    `extra`: the few sends of the minute after a follow or a tap, apart from those that last.
    """

    is_open: bool
    headline: str
    detail: str
    extra: str = ""

    @property
    def in_full(self) -> str:
        if not self.is_open:
            return self.detail
        return _("；").join(
            part for part in (_("，").join([self.headline, self.detail]), self.extra) if part
        )


def reply_window(conversation: Conversation, now: datetime) -> ReplyWindow:
    if route_of(conversation.account).waits_for_push:
        return ReplyWindow(
            False,
            _("等客户下一条消息"),
            _("这个公众号只能被动回复，内容会随客户的下一条消息送达。"),
        )
    lasting, short = ledger.open_windows(conversation.customer, now)
    if lasting and short:
        span = in_words(short.time_left)
        extra = _("另有 %(left)s 条，%(span)s内有效") % {"left": short.sends_left, "span": span}
        return _open(lasting, extra)
    if one := lasting or short:
        return _open(one)
    return ReplyWindow(
        False, _("等客户下一条消息"), _("回复窗口已关闭，内容会在客户下次发消息后送达。")
    )


def _open(window: OpenWindow, extra: str = "") -> ReplyWindow:
    left, span = window.sends_left, in_words(window.time_left)
    return ReplyWindow(
        True, _("还可发 %(left)s 条") % {"left": left}, _("剩 %(span)s") % {"span": span}, extra
    )
