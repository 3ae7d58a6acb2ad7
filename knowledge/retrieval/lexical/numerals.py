"""The numbers that a question names, in digits or in Chinese, with what they count.

「三年」 and 「3 年」 are one number. 「一下」 and 「万一」 are none: one numeral alone counts only
before a unit.
"""

from __future__ import annotations

import re
from collections.abc import Set

# What is counted, then its units, each with its other names. 15 天 and 1 年 both answer "how long";
# 2 件 does not.
_FAMILIES = (
    ("time", "年/year/years 个月/月/month/months 周/个星期/星期/week/weeks 天/日/day/days"),
    ("time", "个小时/小时/hour/hours 分钟/minute/minutes 秒/second/seconds"),
    ("money", "元/块/yuan 角/毛 dollar/dollars"),
    ("share", "折 成 倍"),
    ("things", "个 件 张 份 台 部 只 次 位 人 层 楼 号 级 期 米 斤 公斤 升 克 度 寸 码"),
)


def _units_by_name() -> dict[str, tuple[str, str]]:
    """Each name of a unit with its family and the unit's first name."""
    units = {}
    for family, lines in _FAMILIES:
        for line in lines.split():
            names = line.split("/")
            units.update(dict.fromkeys(names, (family, names[0])))
    return units


_UNITS = _units_by_name()
_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2}
_DIGITS |= {char: value for value, char in enumerate("三四五六七八九", start=3)}
_STEPS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = re.compile(r"[\d零〇一二两三四五六七八九十百千万日天]")
_WEEKDAY = re.compile(r"(?:周|星期|礼拜)([一二三四五六日天])")
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_NUMBER = re.compile(rf"(\d{{1,9}}|[零〇一二两三四五六七八九十百千万]{{1,9}}) ?({_UNIT})?")

# What is counted ("" where nothing says it), how many, in which unit.
Number = tuple[str, int, str]


def numbers_in(text: str) -> frozenset[Number]:
    if _NUMERAL.search(text) is None:
        return frozenset()
    found: set[Number] = {("weekday", _DIGITS.get(day, 7), "") for day in _WEEKDAY.findall(text)}
    for written, unit in _NUMBER.findall(_WEEKDAY.sub("", text)):
        count = _value(written, has_unit=bool(unit))
        if count is not None:
            family, standard = _UNITS.get(unit, ("", ""))
            found.add((family, count, standard))
    return frozenset(found)


def differ(left: frozenset[Number], right: frozenset[Number]) -> bool:
    """Whether both count the same sort of thing, and neither names all that the other names."""
    if not left or not right:
        return False
    families = {number[0] for number in left | right}
    # A number without a unit may count anything: "60 退货" beside 「15 天退货」.
    if "" in families:
        return _neither_holds_the_other(_values(left), _values(right))
    return any(
        _neither_holds_the_other(_of(family, left), _of(family, right)) for family in families
    )


def _values(numbers: frozenset[Number]) -> set[int]:
    return {number[1] for number in numbers}


def _of(family: str, numbers: frozenset[Number]) -> set[Number]:
    return {number for number in numbers if number[0] == family}


def _neither_holds_the_other(left: Set[object], right: Set[object]) -> bool:
    return bool(left and right) and not left <= right and not right <= left


def _value(written: str, *, has_unit: bool) -> int | None:
    if written.isdigit():
        return int(written)
    if len(written) == 1 and not has_unit:
        return None
    return _chinese_value(written)


def _chinese_value(written: str) -> int | None:
    """None where the characters are no number: 万一, 千万."""
    if "万" in written:
        above, _, below = written.partition("万")
        thousands = _below_ten_thousand(above) if above else None
        rest = _below_ten_thousand(below) if below else 0
        return None if thousands is None or rest is None else thousands * 10_000 + rest
    return _below_ten_thousand(written)


def _below_ten_thousand(written: str) -> int | None:
    if all(char in _DIGITS for char in written):  # 二〇二六
        return int("".join(str(_DIGITS[char]) for char in written))
    total, digit = 0, None
    for char in written:
        if char in _STEPS:
            if digit is None and not (char == "十" and total % 100 == 0):
                return None
            total += (1 if digit is None else digit) * _STEPS[char]
            digit = None
        elif char in _DIGITS:
            digit = _DIGITS[char]
        else:
            return None
    return total + (digit or 0)
