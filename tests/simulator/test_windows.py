"""The reply windows: 5 sends in 48 h after a message, 3 in 1 min after a follow, a menu click, a
tap.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from simulator.models import Follower, QuotaUsedUp, WindowClosed

NOW = timezone.now()


def sends(follower: Follower, at=NOW) -> int:
    """How many sends go through until WeChat says no."""
    for count in range(20):
        try:
            follower.take_send(at)
        except (QuotaUsedUp, WindowClosed):
            return count
    raise AssertionError("no end of sends")


def test_nobody_may_write_to_a_customer_who_did_nothing(follower: Follower) -> None:
    with pytest.raises(WindowClosed):
        follower.take_send(NOW)


def test_a_message_opens_five_sends(follower: Follower) -> None:
    follower.open_message_window(NOW)
    assert sends(follower) == 5
    with pytest.raises(QuotaUsedUp):
        follower.take_send(NOW)


def test_the_window_of_a_message_closes_after_48_hours(follower: Follower) -> None:
    follower.open_message_window(NOW)
    assert sends(follower, NOW + timedelta(hours=47, minutes=59)) == 5
    follower.open_message_window(NOW)
    with pytest.raises(WindowClosed):
        follower.take_send(NOW + timedelta(hours=48))


def test_a_new_message_starts_the_count_again(follower: Follower) -> None:
    follower.open_message_window(NOW)
    follower.take_send(NOW)
    follower.open_message_window(NOW)
    assert sends(follower) == 5


def test_a_tap_opens_three_sends_for_a_minute(follower: Follower) -> None:
    follower.open_event_window(NOW)
    assert sends(follower, NOW + timedelta(seconds=59)) == 3
    with pytest.raises(WindowClosed):
        follower.take_send(NOW + timedelta(seconds=60))


def test_overlapping_windows_add_up_and_the_short_one_goes_first(follower: Follower) -> None:
    follower.open_message_window(NOW)
    follower.open_event_window(NOW)
    follower.take_send(NOW)
    follower.refresh_from_db()
    assert (follower.event_sends_left, follower.message_sends_left) == (2, 5)
    assert sends(follower) == 7


def test_unfollowing_closes_all(follower: Follower) -> None:
    follower.open_message_window(NOW)
    follower.unfollow()
    with pytest.raises(WindowClosed):
        follower.take_send(NOW)
