"""Words that turn a question into the opposite one, or into its neighbour that has another answer.

General words only: where one side stands in the question and the other in the FAQ, the FAQ is
offered, not given.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

Side = tuple[int, int]

# Two sides a line. The words of one side need not mean the same, and a word may stand in several
# lines.
OPPOSITES = (
    ("绑定|绑", "解绑|解除绑定"),
    ("开通|开启|打开|启用|激活", "关闭|关掉|停用|停止|禁用|取消|解除"),
    ("开门|营业|上班", "关门|打烊|下班|停业"),
    ("注册", "注销"),
    ("登录", "登出|退出登录"),
    ("加入|加盟", "退出"),
    ("订阅|关注", "退订|取消订阅|取消关注"),
    ("转入", "转出"),
    ("充值|存款|存钱", "提现|取款|取钱|取现"),
    ("收入", "支出"),
    ("付款|支付|扣款", "退款|返款"),
    ("借款|贷款", "还款"),
    ("买|购买|下单", "卖|出售"),
    ("买|购买|办理", "退"),
    ("退", "换"),
    ("发货|寄件|寄出", "收件|签收"),
    ("寄件人|发件人", "收件人|收货人"),
    ("安装", "拆除|拆卸|卸载"),
    ("安装|购买", "维修|修理|保养"),
    ("下载", "上传|卸载"),
    ("增加|添加|新增", "减少|删除|移除"),
    ("提高|升级|调高", "降低|降级|调低"),
    ("提前", "延后|推迟|延迟|延期"),
    ("之前|以前", "之后|以后"),
    ("早上|上午", "下午|晚上"),
    ("白天", "晚上|夜里"),
    ("今天", "明天|昨天"),
    ("工作日", "周末|节假日"),
    ("成人|大人", "儿童|小孩|学生|老人"),
    ("男", "女"),
    ("国内|境内", "国外|境外|海外"),
    ("入口", "出口"),
    ("入住", "退房"),
    ("线上|网上", "线下|门店"),
    ("上门", "到店"),
    ("个人", "企业|公司|单位"),
    ("新用户|新客", "老用户|老客"),
    ("地址", "电话|手机号|姓名|时间"),
    ("账号|用户名", "密码"),
    ("手机", "电脑|平板|电视"),
    ("微信", "支付宝"),
    ("最高|最多|上限", "最低|最少|下限"),
    ("冻结", "解冻"),
    ("锁定", "解锁"),
    ("挂失", "解挂"),
    ("恢复", "取消|删除"),
    ("电子", "纸质"),
    ("专票|专用", "普票|普通"),
    ("全额", "部分"),
    ("必须", "不用|不需要"),
    ("贵", "便宜"),
    ("enable|activate", "disable|deactivate|cancel|turn off"),
    ("open", "close"),
    ("lock", "unlock"),
    ("freeze", "unfreeze"),
    ("increase|raise", "decrease|reduce|lower"),
    ("add", "remove|delete"),
    ("buy|purchase|order", "return|refund|sell"),
    ("return|refund", "exchange"),
    ("deposit", "withdraw"),
    ("before", "after"),
    ("minimum", "maximum"),
    ("subscribe", "unsubscribe"),
)


def _sides_by_word() -> dict[str, frozenset[Side]]:
    sides = defaultdict(set)
    for number, pair in enumerate(OPPOSITES):
        for side, words in enumerate(pair):
            for word in words.split("|"):
                sides[word].add((number, side))
    return {word: frozenset(found) for word, found in sides.items()}


_SIDES = _sides_by_word()


def _any_of(words: Iterable[str]) -> str:
    """The longest word first, so that 解除绑定 is not read as 绑定."""
    return "|".join(sorted(words, key=len, reverse=True))


# Two patterns: one that begins with plain characters is searched for much faster.
_CHINESE = re.compile(_any_of(word for word in _SIDES if not word.isascii()))
_LATIN = re.compile(rf"\b(?:{_any_of(filter(str.isascii, _SIDES))})\b")
_LETTER = re.compile("[a-z]")


def sides_in(text: str) -> frozenset[Side]:
    """The sides (number of the pair, 0 or 1) whose words stand in `text`."""
    words = _CHINESE.findall(text)
    if _LETTER.search(text):
        words += _LATIN.findall(text)
    return frozenset().union(*(_SIDES[word] for word in words))


def are_opposed(left: frozenset[Side], right: frozenset[Side]) -> bool:
    """Whether of one pair each holds one side only, and not the same."""
    return any(
        (number, 1 - side) in right
        for number, side in left
        if (number, 1 - side) not in left and (number, side) not in right
    )
