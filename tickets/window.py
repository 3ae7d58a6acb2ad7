"""The reply window in words: what sending will do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from conversations.models import Conversation, Customer
from tickets.durations import in_words


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
    customer = conversation.customer
    if not conversation.account.may_send:
        return ReplyWindow(
            False,
            _("等客户下一条消息"),
            _("这个公众号只能被动回复，内容会随客户的下一条消息送达。"),
        )
    lasting, short = _windows(customer, now)
    if lasting and short:
        extra = _("另有 %(left)s 条，%(span)s内有效") % {"left": short[0], "span": short[1]}
        return _open(*lasting, extra)
    if lasting or short:
        return _open(*(lasting or short))
    return ReplyWindow(
        False, _("等客户下一条消息"), _("回复窗口已关闭，内容会在客户下次发消息后送达。")
    )


# How many sends a window still allows, and for how long in words; empty when it is closed or used
# up.
Window = tuple[int, str] | tuple[()]


def _windows(customer: Customer, now: datetime) -> tuple[Window, Window]:
    """The one of 48 hours after a message, and the one of a minute after a follow, a menu click or
    a tap.
    """
    return (
        _window(customer.message_sends_left, customer.message_window_until, now),
        _window(customer.event_sends_left, customer.event_window_until, now),
    )


def _window(left: int, until: datetime | None, now: datetime) -> Window:
    return (left, in_words(until - now)) if left and until and until > now else ()


def _open(left: int, span: str, extra: str = "") -> ReplyWindow:
    return ReplyWindow(
        True, _("还可发 %(left)s 条") % {"left": left}, _("剩 %(span)s") % {"span": span}, extra
    )
