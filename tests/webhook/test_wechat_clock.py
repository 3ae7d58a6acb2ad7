"""How old a push is, although our clock is wrong: by the pushes that came lately."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from webhook import wechat_clock
from webhook.opening import LAST_DELIVERY_AGE
from webhook.wechat_clock import ENOUGH_PUSHES, WeChatClock

# What three deliveries of pushes find on a right clock, of pushes made early and late in a second.
FIRST, SECOND, THIRD = (0.2, 1.1), (5.2, 6.1), (10.2, 11.1)


class Minutes:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    minutes = Minutes()
    monkeypatch.setattr(wechat_clock, "time", SimpleNamespace(monotonic=minutes.monotonic))
    return minutes


def pushes(clock: WeChatClock, minutes: Minutes, *, ahead: float = 0.0, count: int = 30) -> None:
    """A pause of five seconds between any two, most of them answered at their first delivery."""
    for number in range(count):
        minutes.now += 5
        found = (FIRST, FIRST, SECOND, THIRD)[number % 4]
        clock.note(found[number % 2] + ahead)


def age(clock: WeChatClock, difference: float) -> float:
    return difference - clock.is_behind_ours_by


def test_a_right_clock_is_not_corrected(minutes: Minutes) -> None:
    clock = WeChatClock()
    pushes(clock, minutes)
    assert clock.is_behind_ours_by == 0


@pytest.mark.parametrize("ahead", [-40, -6, 7, 12, 40, 400])
def test_only_a_third_delivery_is_old_on_a_wrong_clock(minutes: Minutes, ahead: float) -> None:
    clock = WeChatClock()
    pushes(clock, minutes, ahead=ahead)
    for early, late in (FIRST, SECOND):
        assert age(clock, early + ahead) < LAST_DELIVERY_AGE
        assert age(clock, late + ahead) < LAST_DELIVERY_AGE
    assert all(age(clock, found + ahead) >= LAST_DELIVERY_AGE for found in THIRD)


def test_one_push_proves_what_no_delivery_could_be(minutes: Minutes) -> None:
    clock = WeChatClock()
    clock.note(40.3)
    assert age(clock, 40.3) < LAST_DELIVERY_AGE
    assert age(clock, 50.3) >= LAST_DELIVERY_AGE


def test_a_few_third_deliveries_prove_nothing(minutes: Minutes) -> None:
    """A process that has just begun may see none but these: in doubt it is the last."""
    clock = WeChatClock()
    for _ in range(ENOUGH_PUSHES * 3):
        clock.note(10.4)
    assert age(clock, 10.4) >= LAST_DELIVERY_AGE


def test_many_old_pushes_after_an_outage_are_old(minutes: Minutes) -> None:
    """Their first deliveries were noted when they came, stored or not."""
    clock = WeChatClock()
    minutes.now += 600
    for found in (0.4, 5.4, 10.4):
        for _ in range(ENOUGH_PUSHES * 3):
            clock.note(found)
    assert age(clock, 10.4) >= LAST_DELIVERY_AGE


@pytest.mark.parametrize(("before", "afterwards"), [(40, 0), (0, 40), (0, 12), (12, -3)])
def test_a_clock_that_is_changed_is_seen(
    minutes: Minutes, before: float, afterwards: float
) -> None:
    clock = WeChatClock()
    pushes(clock, minutes, ahead=before, count=200)
    pushes(clock, minutes, ahead=afterwards, count=200)
    assert age(clock, FIRST[1] + afterwards) < LAST_DELIVERY_AGE
    assert age(clock, THIRD[0] + afterwards) >= LAST_DELIVERY_AGE
