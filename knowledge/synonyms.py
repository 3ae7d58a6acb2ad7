"""Words that mean the same in a question: matching reads each of them as the first of its rule."""

from __future__ import annotations

import re
from collections.abc import Iterable

from common.text import fold

# Shipped with every installation (a data migration writes them), then the editor's to change.
# General words only: what means the same in one shop alone is for its own editors.
SHIPPED = (
    "怎么 如何 咋 怎样",
    "什么 啥 甚么",
    "为什么 为何 为啥",
    "什么时候 何时 啥时候 几时",
    "多久 多长时间",
    "哪里 哪儿",
    "可以 能不能 可不可以 能否 可否",
    "无法 没法 没办法",
    "多少钱 价格 价钱",
    "账号 帐号 账户 帐户",
    "登录 登陆 登入",
    "修改 更改 变更",
    "取消 撤销",
)


def words_of(rule: str) -> tuple[str, ...]:
    """The words of a rule as matching compares them, the standard one first."""
    return tuple(dict.fromkeys(filter(None, map(fold, rule.split()))))


class Synonyms:
    """Rewrites folded text so that each word of a rule reads as the rule's first."""

    def __init__(self, rules: Iterable[str]) -> None:
        self._standard: dict[str, str] = {}
        for words in map(words_of, rules):
            for word in words:
                self._standard.setdefault(word, words[0])
        # The longest word first, so that 为什么 is not read as 为 + 什么.
        longest_first = sorted(self._standard, key=len, reverse=True)
        self._pattern = (
            re.compile("|".join(map(_as_word, longest_first))) if longest_first else None
        )

    def apply(self, folded: str) -> str:
        if self._pattern is None:
            return folded
        return self._pattern.sub(lambda found: self._standard[found[0]], folded)


def _as_word(word: str) -> str:
    """A Latin word counts only as a whole ("app" is not in "apple"); Chinese
    has no word borders.
    """
    pattern = re.escape(word)
    return rf"(?<![a-z0-9]){pattern}(?![a-z0-9])" if word.isascii() else pattern
