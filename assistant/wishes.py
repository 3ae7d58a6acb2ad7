"""What a customer wants when they do not ask a question: a person, or no person any more.

A wish is the whole message, or a clause of its own that says it outright ("我要退款，转人工"). A
word that merely occurs is none: "人工智能是什么" and "人工费多少" are questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.text import Words, joined, without_marks

# A wish is short. The bound also keeps a pasted page of text away from the patterns.
LONGEST_WISH = 60
LONGEST_MESSAGE = 200

_HUMAN = r"(?:人工客服|人工服务|人工坐席|人工座席|人工台|真人客服|真人服务|真人|活人|人工)"
_PERSON = rf"(?:{_HUMAN}|客服人员|在线客服|客服)"
_ASKING = (
    r"(?:请问|请|你好|您好|麻烦|劳驾|帮我|给我|帮忙|我想要|我想|我要|我需要|想要|能不能|可不可以|可以|能否"
    r"|还是|直接|赶紧|赶快|马上|立刻|快点|快|那|就|我|想|要|需要|能|给)"
)
_VERB = (
    r"(?:转接到|转接|转到|转给|转回|转|接入|接通|接到|接|切换到|切换|换成|换|联系|呼叫|呼|叫|找|喊)"
)
_MEASURE = r"(?:一个|一下|一位|个|位|下|到|给)?"
_PLEASE = (
    r"(?:谢谢您|谢谢你|谢谢|谢了|可以吗|可以么|行不行|行吗|好不好|好吗|一下|在不在|在吗|在么"
    r"|吗|么|吧|嘛|呢|啊|呀|哦|喔|哈|了|呗|快点|来|帮我|帮忙|处理|回复|接听|解答)"
)
_TALK = r"(?:说话|说|聊天|聊聊|聊|对话|沟通|交流|谈谈|谈|讲话|讲)"

# Possessive quantifiers (`*+`): particles pile up in any order, and a pile must never cost more
# than one pass. `\A`: nobody can look for a wish from every place of a pile.
_CHINESE_WISH = re.compile(
    rf"\A(?:{_ASKING}*+(?:"
    rf"{_VERB}{_MEASURE}{_PERSON}"
    rf"|{_HUMAN}"
    # "客服在吗" is how many say hello.
    r"|(?:在线客服|客服)(?!在)"
    rf"|(?:有没有|有){_HUMAN}"
    rf"|(?:怎么|怎样|如何|怎么才能|如何才能){_VERB}{_MEASURE}{_HUMAN}"
    rf"|(?:和|跟|与|同){_PERSON}{_TALK}"
    r"|(?:不要|别用|不想要|不想用)机器人"
    rf"|不想(?:和|跟|与|同)机器人{_TALK}"
    rf"){_PLEASE}*+){{1,3}}"
)
_CHINESE_CLAUSE = re.compile(rf"\A{_ASKING}*+{_VERB}{_MEASURE}{_HUMAN}{_PLEASE}*+")

_ENGLISH_WISH = re.compile(
    r"\A(?:(?:hi|hello|hey|please|pls|can|could|may|i|you|we|me|just|want|need|would|like|d|to|let|get|give|now)\s+)*+"
    r"(?:(?:talk|speak|chat|connect|transfer|switch|put|hand)\s+(?:me\s+)?(?:through\s+|over\s+)?(?:to|with)\s+)?"
    r"(?:a\s+|an\s+|the\s+|your\s+)?(?:real\s+|live\s+|actual\s+)?"
    r"(?:human being|human agent|human support|human "
    r"service|human|person|agent|representative|operator"
    r"|customer service|customer support|support agent|service agent|someone real)"
    r"(?:\s+(?:please|pls|now|thanks|thank you|asap|here))*+"
)
_CANCEL = re.compile(
    rf"\A(?:那?算了)?{_ASKING}*+(?:"
    rf"(?:取消|结束|退出|撤销|停止)(?:{_HUMAN}|排队|等待|转接|转人工|人工排队)"
    rf"|(?:不用|不要|不需要|不必|不想|不|别)(?:{_VERB}{_MEASURE})?(?:{_HUMAN}|排队|等|客服)"
    r"|cancel(?: the)?(?: human| agent| waiting)?"
    rf"){_PLEASE}*+"
)
# Every wish has one of these, as typed: most messages need no folding to be known for none.
# Full-width letters may be one; full-width marks (？，！) end nearly every question in Chinese and
# are none.
_MAY_BE_A_WISH = re.compile(
    r"人\s*工|真\s*人|活\s*人|客\s*服|[机機]\s*器|[\uff21-\uff3a\uff41-\uff5a]|human|person|agent|represent|operator|customer|support|someone",
    re.I,
)
_CLAUSE_END = re.compile(r"[，。！？；、,.!?;\n\s~～…]+")


def wants_human(words: Words) -> bool:
    """Whether the customer asks for a person instead of the bot."""
    if len(words.text) > LONGEST_MESSAGE or not _MAY_BE_A_WISH.search(words.text):
        return False
    return _is_a_wish(words.joined) or any(map(_CHINESE_CLAUSE.fullmatch, _clauses(words)))


def wants_no_human(words: Words) -> bool:
    """Whether a customer who waits for a person gives up the wait."""
    return len(words.text) <= LONGEST_WISH and _CANCEL.fullmatch(words.joined) is not None


def _is_a_wish(said: str) -> bool:
    if len(said) > LONGEST_WISH:
        return False
    return any(wish.fullmatch(said) for wish in (_CHINESE_WISH, _ENGLISH_WISH))


def _clauses(words: Words) -> Iterator[str]:
    """The message between its marks and spaces, each part without what still stands in it."""
    for clause in _CLAUSE_END.split(words.alike):
        yield joined(without_marks(clause))
