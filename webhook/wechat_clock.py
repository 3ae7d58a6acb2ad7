"""How far our clock is from WeChat's, by the pushes that came lately.

A push says when it was made (CreateTime) by WeChat's clock. The smallest difference between our
clock and CreateTime is that of a first delivery that came at once: what is left of it is the
difference of the two clocks. Without this a wrong clock would make every push look old.
"""

from __future__ import annotations

import time
from math import inf

# CreateTime has whole seconds, and a first delivery takes a moment.
ORDINARY = 2.0
# WeChat's third delivery comes ten seconds after the first. Nothing comes later than this.
OLDEST_DELIVERY = 16.0
# In between a few pushes prove nothing: each of them may be a third delivery.
ENOUGH_PUSHES = 20
ENOUGH_SECONDS = 60.0
# A clock that was put right, or wrong, is seen after so many seconds and pushes, twice at most.
LATELY_SECONDS = 300.0


class WeChatClock:
    """Of one process. `note` runs for every push, so it does next to nothing."""

    def __init__(self) -> None:
        self._began = self._lately_since = time.monotonic()
        self._smallest = self._smallest_before = inf
        self._pushes = self._pushes_before = 0

    def note(self, difference: float) -> None:
        """Our clock less CreateTime, in seconds, as a push arrived."""
        self._pushes += 1
        if difference < self._smallest:
            self._smallest = difference
        if self._pushes >= ENOUGH_PUSHES:
            self._forget_the_oldest()

    def _forget_the_oldest(self) -> None:
        now = time.monotonic()
        if now - self._lately_since < LATELY_SECONDS:
            return
        self._smallest_before, self._pushes_before = self._smallest, self._pushes
        self._smallest, self._pushes, self._lately_since = inf, 0, now

    @property
    def is_behind_ours_by(self) -> float:
        """Seconds; below 0 our clock is behind. 0 while the pushes do not prove a difference."""
        smallest = min(self._smallest, self._smallest_before)
        if smallest == inf or 0 <= smallest <= ORDINARY:
            return 0.0
        if 0 <= smallest <= OLDEST_DELIVERY and not self._has_seen_enough:
            return 0.0
        return smallest

    @property
    def _has_seen_enough(self) -> bool:
        enough_pushes = self._pushes + self._pushes_before >= ENOUGH_PUSHES
        return enough_pushes and time.monotonic() - self._began >= ENOUGH_SECONDS


_clock = WeChatClock()


def note(difference: float) -> None:
    _clock.note(difference)


def is_behind_ours_by() -> float:
    return _clock.is_behind_ours_by


def forget() -> None:
    """As a process that has just begun (for tests)."""
    global _clock
    _clock = WeChatClock()
