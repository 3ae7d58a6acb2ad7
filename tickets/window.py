"""The reply window in words: what sending will do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from conversations.models import Conversation, Customer
from tickets.durations import in_words


@dataclass(frozen=True)
class ReplyWindow:
    """`is_open`: a text goes out at once. Else it waits for the customer's next message."""

    is_open: bool
    headline: str
    detail: str

    @property
    def in_full(self) -> str:
        return _("，").join([self.headline, self.detail]) if self.is_open else self.detail


def reply_window(conversation: Conversation, now: datetime) -> ReplyWindow:
    customer = conversation.customer
    if not conversation.account.may_send:
        return ReplyWindow(False, _("等客户下一条消息"), _("这个公众号只能被动回复，内容会随客户的下一条消息送达。"))
    left = customer.sends_left(now)
    if not left:
        return ReplyWindow(False, _("等客户下一条消息"), _("回复窗口已关闭，内容会在客户下次发消息后送达。"))
    span = in_words(_closes_at(customer, now) - now)
    return ReplyWindow(True, _("还可发 %(left)s 条") % {"left": left}, _("剩 %(span)s") % {"span": span})


def _closes_at(customer: Customer, now: datetime) -> datetime:
    """When the last open window with sends left closes."""
    windows = [
        (customer.message_sends_left, customer.message_window_until),
        (customer.event_sends_left, customer.event_window_until),
    ]
    return max((until for left, until in windows if left and until and until > now), default=now)
