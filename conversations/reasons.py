"""Why a reply did not arrive, as staff read it. The column keeps English, as the log does."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from wechat.explained import explained

_OURS = {
    "the process that sent it died": _("发送时进程中断，不知是否送达"),
    "the customer did not come back within 48 hours": _("客户 48 小时内没有再来"),
    "the customer has unfollowed": _("客户已取消关注"),
}


def reason_words(stored: str) -> str:
    return str(_OURS[stored]) if stored in _OURS else explained(stored)
