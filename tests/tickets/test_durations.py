from __future__ import annotations

from datetime import timedelta

import pytest

from tickets.desk.durations import in_words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "0 秒"),
        (timedelta(seconds=59), "59 秒"),
        (timedelta(minutes=2, seconds=10), "2 分 10 秒"),
        (timedelta(hours=46, minutes=12, seconds=59), "46 小时 12 分"),
        (timedelta(hours=75), "3 天 3 小时"),
    ],
)
def test_it_says_a_span_of_time_in_two_units(span: timedelta, words: str) -> None:
    assert in_words(span) == words
