"""Whether a question that resembles an FAQ asks something else: another number, the contrary, the
opposite.

「支持 60 天退货吗」 resembles 「支持 15 天退货吗」 more than any true paraphrase does, so no score
can tell them apart. A guard counts only when it holds against every line of the entry: an editor
ends it by adding the question as a line. All texts are `terms.canonical` ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from knowledge.retrieval.lexical.numerals import Number, differ, numbers_in
from knowledge.retrieval.lexical.opposites import Side, are_opposed, sides_in

# Without its negation the rest must be nearly the same: 「不想要了能退吗」 is no denial of
# 「能退吗」.
SAME_REST = 0.6

# 「能不能退」 asks, and denies nothing.
_EITHER_WAY = re.compile(r"(\w)[不没]\1")
_AT_THE_END = re.compile(r"(?:[不没]|没有)吗?$")
_NO_DENIAL = re.compile(
    "不好意思|差不多|对不起|不但|不仅|不过|不错|不同|不管|不断|不小心|不知道|不清楚|不懂|不明白"
    "|特别|别人|别的|别处|区别|分别|类别|级别|性别|个别|别名|识别|无论|无线|无人机|未来"
)
_DENIAL = re.compile(r"[不没无未别]|\b(?:not|no|never|without|cannot|t)\b")


@dataclass(frozen=True)
class Wording:
    """A text as the guards read it; each part is worked out when a guard first asks for it."""

    text: str

    @cached_property
    def numbers(self) -> frozenset[Number]:
        return numbers_in(self.text)

    @cached_property
    def sides(self) -> frozenset[Side]:
        return sides_in(self.text)

    @cached_property
    def is_denied(self) -> bool:
        return len(_DENIAL.findall(self._statement)) % 2 == 1

    @cached_property
    def rest(self) -> frozenset[tuple[str, str]]:
        """The pairs of neighbours that are left without the words of denial."""
        return frozenset(pairwise(_DENIAL.sub("", self._statement)))

    @cached_property
    def _statement(self) -> str:
        """What is left where a denial would count."""
        if _DENIAL.search(self.text) is None:
            return self.text
        asked = _EITHER_WAY.sub(r"\1", self.text)
        return _NO_DENIAL.sub("", _AT_THE_END.sub("", asked))


def asks_something_else(asked: str, lines: Iterable[str]) -> bool:
    question = Wording(asked)
    known = [_line(line) for line in lines]
    return any(_holds(guard, question, known) for guard in GUARDS)


@lru_cache(maxsize=2048)
def _line(text: str) -> Wording:
    """Kept, since the same few lines of a knowledge base are asked for again and again."""
    return Wording(text)


def _other_number(asked: Wording, line: Wording) -> bool:
    return differ(asked.numbers, line.numbers)


def _contrary(asked: Wording, line: Wording) -> bool:
    if asked.is_denied == line.is_denied:
        return False
    return _overlap(asked.rest, line.rest) >= SAME_REST


def _opposite(asked: Wording, line: Wording) -> bool:
    return are_opposed(asked.sides, line.sides)


Guard = Callable[[Wording, Wording], bool]
GUARDS: tuple[Guard, ...] = (_other_number, _contrary, _opposite)


def _holds(guard: Guard, asked: Wording, lines: Iterable[Wording]) -> bool:
    return all(guard(asked, line) for line in lines)


def _overlap(left: frozenset[tuple[str, str]], right: frozenset[tuple[str, str]]) -> float:
    both = len(left) + len(right)
    return 2 * len(left & right) / both if both else 0.0
