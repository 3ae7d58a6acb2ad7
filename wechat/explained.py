"""What staff read of an error of WeChat's API, in their language.

Rows keep what `str(error)` said, in English as logs are: `WindowClosed: 45015 response out of time
limit`.
"""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat import errors

WORDS: dict[type[errors.WeChatError], Promise] = {
    errors.WeChatUnreachable: _("连不上微信接口"),
    errors.OutcomeUnknown: _("已发出，但微信没有返回结果，不再自动重发"),
    errors.WeChatRefused: _("微信拒绝了这次发送"),
    errors.WeChatBusy: _("微信接口繁忙"),
    errors.TokenRefused: _("微信不认可 access_token"),
    errors.TokenTooSoon: _("微信不认可 access_token，稍后自动重新获取"),
    errors.WrongKeys: _("AppID 或 AppSecret 不正确"),
    errors.IpNotAllowed: _("本机 IP 不在公众号的 IP 白名单中"),
    errors.AccountFrozen: _("公众号或密钥已被冻结"),
    errors.WrongCustomer: _("OpenID 不正确，或不属于这个公众号"),
    errors.NotFollowing: _("客户没有关注公众号"),
    errors.CustomerRefuses: _("客户拒收消息"),
    errors.WindowClosed: _("客户超过 48 小时没有来消息，不能主动发送"),
    errors.QuotaUsedUp: _("客户上一条消息允许的条数已用完"),
    errors.TextTooLong: _("内容超过微信的长度限制"),
    errors.BadText: _("内容中有微信不接受的字符"),
    errors.BadMedia: _("素材编号不正确，或已过期"),
    errors.TooManyCalls: _("调用微信接口太频繁"),
    errors.DailyCallsUsedUp: _("今天的微信接口调用次数已用完"),
    errors.KindNotAllowed: _("这类公众号不能发送这种消息"),
    errors.ApiNotGranted: _("公众号没有客服消息接口的权限"),
    errors.ApiBanned: _("微信收回了这个接口的权限"),
    errors.TypingRefused: _("微信没有显示「正在输入」"),
    errors.DeskRefused: _("微信自带的客服系统拒绝了这次操作"),
}
_BY_NAME = {error.__name__: words for error, words in WORDS.items()}
_STORED = re.compile(r"(\w{1,40}): (-?\d{1,6})?")


def explained(stored: str) -> str:
    """The words for a stored error with WeChat's code, to look it up; a text of another shape as it
    is.
    """
    found = _STORED.match(stored)
    if found is None or found[1] not in _BY_NAME:
        return stored
    words = str(_BY_NAME[found[1]])
    return f"{words} ({found[2]})" if found[2] else words
