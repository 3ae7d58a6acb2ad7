"""What the bot says, moment by moment. An account may have its own words (BotText rows); these are
the defaults.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from string import Formatter

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from common.fresh import Fresh
from conversations.models import BotText

logger = logging.getLogger(__name__)

# By account and moment.
OwnWords = Mapping[tuple[int, str], str]

DEFAULTS: dict[str, str | Promise] = {
    "follow": _(
        "您好，这里是{name}。您可以直接提问，也可以点选或回复数字：\n{choices}\n需要人工请回复「转人工」。"
    ),
    "follow_plain": _("您好，这里是{name}。您可以直接提问，需要人工请回复「转人工」。"),
    "menu": _("您是想问：\n{choices}\n回复数字即可，或换个说法告诉我。"),
    "menu_again": _("请从下面选一个：\n{choices}\n回复数字即可，或用文字告诉我您的问题。"),
    "ask_in_words": _("请用一句话告诉我您想问什么，我来为您查询。需要人工请回复「转人工」。"),
    "thinking": _("正在为您查询，请稍等几秒后{link}。"),
    "thinking_link": _("点这里查看回答"),
    "more": _("（未完，{link}）"),
    "more_link": _("点这里看下一页"),
    # Beside every link that fetches: WeChat on a computer shows such a link, but cannot tap it.
    "look_words": _("{link}，或回复「{words}」"),
    "nothing_more": _("暂时没有更多内容，您可以继续提问。"),
    "handover": _("已为您转接人工客服，前面还有 {n} 位，请稍候。"),
    "handover_next": _("已为您转接人工客服，请稍候。"),
    "handover_waiting": _("您的问题已记录（编号 {number}），人工客服上线后第一时间回复您。"),
    "unknown": _("这个问题我暂时没有准确答案，已为您转给人工客服（编号 {number}）。"),
    "unknown_waiting": _(
        "这个问题我暂时没有准确答案，已为您记录（编号 {number}），人工客服上线后在这里回复您。"
    ),
    "model_busy": _("现在咨询的人较多，您的问题已记录（编号 {number}），稍后由人工回复您。"),
    "too_many": _("您发送得有点快，请稍等一分钟再发。"),
    "blocked": _("这个内容我不便回答，您可以换个问题，或回复「转人工」。"),
    "not_understood": _("暂时看不懂这类消息，请用文字描述您的问题。"),
    "no_reply_yet": _("目前还没有新的回复，请稍候。"),
    "storing_failed": _("系统繁忙，请稍后再发一次。"),
    "greeting": _("您好，请问有什么可以帮您？"),
    "thanks": _("不客气，有问题随时找我。"),
    "goodbye": _("再见，祝您生活愉快。"),
    "handover_look": _("客服回复后{link}。"),
    "agent_receipt": _("已转人工，客服回复后{link}。"),
    "agent_receipt_link": _("点这里查看"),
    "still_waiting": _(
        "已转给人工客服，正在排队。您可以继续留言；常见问题我仍会回答。"
        "不再需要人工请回复「取消人工」。"
    ),
    "still_waiting_away": _(
        "您的留言已记录，人工客服上线后在这里回复您。您可以继续留言；常见问题我仍会回答。"
        "不再需要人工请回复「取消人工」。"
    ),
    "waiting_on": _("您的消息已收到，还在为您排队，客服会按顺序在这里回复您。"),
    "waiting_cancelled": _("已取消人工，您可以继续提问。"),
    "back_to_bot": _("本次人工服务已结束，您可以继续向我提问。"),
}

# An editor's change is heard this many seconds later in every process, without a query for each
# message.
FRESH_SECONDS = 5.0


def say_text(moment: str, account_id: int, **values: object) -> str:
    """The account's words for `moment`, filled with `values`."""
    return _filled(own_words.get(), moment, account_id, values)


def ready_text(moment: str, account_id: int, **values: object) -> str:
    """The same from what this process knows already: for the event loop, and while the database is
    away.
    """
    return _filled(own_words.known or {}, moment, account_id, values)


def _filled(own_words: OwnWords, moment: str, account_id: int, values: Mapping[str, object]) -> str:
    """An editor's words that name an unknown value fall back to the default: the customer must not
    get nothing.
    """
    own = own_words.get((account_id, moment))
    if own:
        try:
            return own.format(**values)
        except (AttributeError, KeyError, IndexError, ValueError):
            logger.warning(
                "account %s: text %r does not fit its values %s", account_id, moment, sorted(values)
            )
    return default_text(moment).format(**values)


def has_place_for(value: str, moment: str, account_id: int) -> bool:
    """Whether the account's words for `moment` show this value."""
    return f"{{{value}}}" in _template(own_words.get(), moment, account_id)


def ready_template(moment: str, account_id: int) -> str:
    """The account's words for `moment` with their braces, from what this process knows already."""
    return _template(own_words.known or {}, moment, account_id)


def _template(own_words: OwnWords, moment: str, account_id: int) -> str:
    return own_words.get((account_id, moment)) or default_text(moment)


def names_in(text: str) -> set[str]:
    """The values that a text shows, `{name}`. ValueError where the braces hold more than a name or
    do not match.

    `{name:>999999999}` would have the process that says it write a gigabyte of spaces.
    """
    names = set()
    for _literal, name, spec, conversion in Formatter().parse(text):
        if spec or conversion:
            raise ValueError(f"more than a name in the braces of {name}")
        if name is not None:
            names.add(name)
    return names


def _can_be_filled(text: str) -> bool:
    try:
        names_in(text)
    except ValueError:
        return False
    return True


def default_text(moment: str) -> str:
    """The default in the installation's language, whatever language the page of the moment is shown
    in.
    """
    with override(settings.LANGUAGE_CODE):
        return str(DEFAULTS[moment])


def _read_own_words() -> OwnWords:
    rows = BotText.objects.values_list("account_id", "moment", "text")
    return {(account_id, moment): text for account_id, moment, text in rows if _can_be_filled(text)}


own_words = Fresh(_read_own_words, of="the accounts' own words", every=FRESH_SECONDS)
