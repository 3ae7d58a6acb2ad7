"""The moments at which the bot has words of its own, by the names that editors know them by."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MOMENTS: dict[str, str | Promise] = {
    "follow": _("关注公众号"),
    "follow_plain": _("关注公众号，还没有 FAQ"),
    "menu": _("猜您想问"),
    "menu_again": _("序号不在候选问题里"),
    "ask_in_words": _("请客户用文字提问"),
    "thinking": _("还在查询"),
    "thinking_link": _("还在查询：链接"),
    "more": _("未完待续"),
    "more_link": _("未完待续：链接"),
    "look_words": _("链接旁的文字"),
    "nothing_more": _("没有更多内容"),
    "handover": _("转人工，前面有人"),
    "handover_next": _("转人工，前面没有人"),
    "handover_waiting": _("转人工，客服不在线"),
    "handover_look": _("转人工后查看回复"),
    "unknown": _("没有答案"),
    "unknown_waiting": _("没有答案，客服不在线"),
    "model_busy": _("模型繁忙"),
    "too_many": _("消息太多"),
    "blocked": _("敏感词"),
    "not_understood": _("看不懂的消息"),
    "no_reply_yet": _("客服还没有回复"),
    "storing_failed": _("系统繁忙"),
    "greeting": _("问候"),
    "thanks": _("感谢"),
    "goodbye": _("告别"),
    "agent_receipt": _("人工接待中的回执"),
    "agent_receipt_link": _("查看人工回复：链接"),
    "still_waiting": _("排队中"),
    "still_waiting_away": _("排队中，客服不在线"),
    "waiting_on": _("排队中，再次来信"),
    "waiting_cancelled": _("取消人工"),
    "back_to_bot": _("人工服务结束"),
}
