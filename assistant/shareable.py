"""Whether one answer can serve every customer who asks a question.

Only a question that can be understood alone may share its answer: "那多久呢" means nothing without
what was said before, and an order number belongs to one customer.
"""

from __future__ import annotations

import re

from common.text import Words

SHORTEST = 4

_POINTS_BACK = re.compile(
    r"^(?:那|这|它|他|她|哪|然后|还有|另外|继续|所以|为什么呢|and\b|then\b|it\b|that\b|this\b|what "
    r"about\b|how about\b)"
    r"|刚才|刚刚|上面|前面|上一个|之前说|你说的|您说的"
    r"|(?:这|那)(?:个|种|款|件|些|样|里|边|儿)"
    r"|\b(?:it|that|this|those|these|them)\b"
)
_OF_ONE_CUSTOMER = re.compile(
    r"\d{5,}|(?<![\w.+-])[\w.+-]++@[\w-]++\.\w"
    r"|我的(?:订单|快递|包裹|账号|账户|余额|积分|会员|名字)|我叫|我是"
)


def is_shareable(question: Words) -> bool:
    is_short = len(question.folded.replace(" ", "")) < SHORTEST
    if is_short or _POINTS_BACK.search(question.folded):
        return False
    return not _OF_ONE_CUSTOMER.search(question.text)
