"""The moments at which the flow answers a push by itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from conversations.saying import Moment

MOMENTS = (
    Moment(
        "follow",
        _("关注公众号"),
        _(
            "您好，这里是{name}。您可以直接提问，也可以点选或回复数字：\n{choices}\n需要人工请回复「转人工」。"
        ),
        # An account's own welcome need not show the questions.
        needs=frozenset({"name", "choices"}),
    ),
    Moment(
        "follow_plain",
        _("关注公众号，还没有 FAQ"),
        _("您好，这里是{name}。您可以直接提问，需要人工请回复「转人工」。"),
        needs=frozenset({"name"}),
    ),
    Moment("nothing_more", _("没有更多内容"), _("暂时没有更多内容，您可以继续提问。")),
    Moment("no_reply_yet", _("客服还没有回复"), _("目前还没有新的回复，请稍候。")),
    Moment("too_many", _("消息太多"), _("您发送得有点快，请稍等一分钟再发。")),
    Moment("storing_failed", _("系统繁忙"), _("系统繁忙，请稍后再发一次。")),
)
