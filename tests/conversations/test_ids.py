"""The ids of messages grow in the order they are made in."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from common import clock
from conversations.ids import EPOCH_MS, new_id


def test_they_grow_within_a_millisecond_and_beyond() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_they_grow_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    now = clock.unix_time()
    monkeypatch.setattr(clock, "unix_time", lambda: now - 3600)
    assert new_id() > before


def test_threads_never_share_one() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = [
            one
            for many in threads.map(lambda _: [new_id() for _ in range(2_000)], range(8))
            for one in many
        ]
    assert len(set(made)) == len(made)


def test_they_tell_the_time() -> None:
    assert abs((new_id() >> 22) - (time.time_ns() // 1_000_000 - EPOCH_MS)) < 5_000


def test_they_fit_the_column_for_as_long_as_anybody_cares() -> None:
    sixty_years = 60 * 365 * 86_400_000
    assert (sixty_years << 22 | 0x3FFFFF) < 2**63
