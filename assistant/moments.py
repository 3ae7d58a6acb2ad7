"""The moments at which the assistant has words of its own."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from conversations.saying import Moment

_CHOICES = frozenset({"choices"})

MOMENTS = (
    Moment(
        "menu",
        _("猜您想问"),
        _("您是想问：\n{choices}\n回复数字即可，或换个说法告诉我。"),
        needs=_CHOICES,
        keeps=_CHOICES,
    ),
    Moment(
        "menu_again",
        _("序号不在候选问题里"),
        _("请从下面选一个：\n{choices}\n回复数字即可，或用文字告诉我您的问题。"),
        needs=_CHOICES,
        keeps=_CHOICES,
    ),
    Moment(
        "ask_in_words",
        _("请客户用文字提问"),
        _("请用一句话告诉我您想问什么，我来为您查询。需要人工请回复「转人工」。"),
    ),
    Moment("blocked", _("敏感词"), _("这个内容我不便回答，您可以换个问题，或回复「转人工」。")),
    Moment("not_understood", _("看不懂的消息"), _("暂时看不懂这类消息，请用文字描述您的问题。")),
    Moment("greeting", _("问候"), _("您好，请问有什么可以帮您？")),
    Moment("thanks", _("感谢"), _("不客气，有问题随时找我。")),
    Moment("goodbye", _("告别"), _("再见，祝您生活愉快。")),
)
