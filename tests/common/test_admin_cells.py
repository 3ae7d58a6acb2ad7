"""Cells of the admin's lists: times as people say them, long texts cut, the whole on hover."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from common.admin_cells import cut, moment, seconds

NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _a_still_clock_in_chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with translation.override("zh-hans"):
        yield


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=-59), "刚刚"),
        (timedelta(seconds=-60), "1 分钟前"),
        (timedelta(minutes=-59, seconds=-59), "59 分钟前"),
        (timedelta(hours=-23, minutes=-59), "23 小时前"),
        (timedelta(days=-1), "2026-11-22 12:30"),
        (timedelta(seconds=30), "马上"),
        (timedelta(minutes=3), "3 分钟后"),
        (timedelta(hours=5, minutes=59), "5 小时后"),
        (timedelta(days=2), "2026-11-25 12:30"),
    ],
)
def test_a_time_under_a_day_away_is_told_by_its_distance(away: timedelta, words: str) -> None:
    assert f">{words}</time>" in moment(NOW + away)


def test_the_exact_time_in_beijing_is_shown_on_hover() -> None:
    assert 'title="2026-11-23 12:27:00"' in moment(NOW - timedelta(minutes=3))


@pytest.mark.parametrize(
    ("minutes", "words"), [(1, "1 minute ago"), (3, "3 minutes ago"), (61, "1 hour ago")]
)
def test_english_counts_one_and_many(minutes: int, words: str) -> None:
    with translation.override("en"):
        assert f">{words}</time>" in moment(NOW - timedelta(minutes=minutes))


def test_what_is_not_there_is_a_dash() -> None:
    assert (moment(None), cut(""), seconds(None)) == ("—", "—", "—")


def test_a_long_text_is_cut_and_whole_on_hover() -> None:
    assert cut("长" * 50, 10) == f'<span title="{"长" * 50}">{"长" * 9}…</span>'


def test_a_span_is_told_in_the_unit_that_fits() -> None:
    assert "430 毫秒" in seconds(430)
    assert "2.3 秒" in seconds(2310)
