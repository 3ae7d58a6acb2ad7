from __future__ import annotations

import pytest

from knowledge.retrieval.lexical.numerals import differ, numbers_in


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("六十天", "60 天"),
        ("十天", "10天"),
        ("二十一天", "21 天"),
        ("一百零五元", "105 块"),
        ("一千二百元", "1200 元"),
        ("两年", "2 年"),
        ("三个月", "3 月"),
        ("一万两千元", "12000 元"),
        ("二〇二六年", "2026 年"),
        ("双十一", "双 11"),
        ("星期日", "周天"),
        ("30 days", "30 day"),
    ],
)
def test_it_reads_one_number_however_it_is_written(written: str, same: str) -> None:
    assert numbers_in(written) == numbers_in(same) != frozenset()


@pytest.mark.parametrize(
    "text", ["万一坏了", "等一下", "一起", "千万别", "统一", "三方", "十分满意", "几天", "天气"]
)
def test_it_reads_no_number_where_there_is_none(text: str) -> None:
    assert numbers_in(text) == frozenset()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("15 天", "六十天"),
        ("一年", "三年"),
        ("一年", "一个月"),
        ("满 99 元", "满 199 元"),
        ("60 退货", "15 天退货"),
        ("周五送吗", "周六送吗"),
        ("双十一", "双十二"),
        ("iphone 15", "iphone 16"),
    ],
)
def test_other_numbers_differ(left: str, right: str) -> None:
    assert differ(numbers_in(left), numbers_in(right))
    assert differ(numbers_in(right), numbers_in(left))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("15 天", "15 天"),
        ("15 天", "退货"),
        ("买了 2 件，15 天内能退吗", "15 天内能退吗"),
        ("买了一件能退吗", "15 天内能退吗"),
        ("7 到 15 天", "15 天"),
    ],
)
def test_a_number_beside_others_or_of_another_sort_does_not_differ(left: str, right: str) -> None:
    assert not differ(numbers_in(left), numbers_in(right))


def test_a_very_long_run_of_digits_is_no_error() -> None:
    assert not differ(numbers_in("9" * 20_000), frozenset())
