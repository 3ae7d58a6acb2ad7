"""A clock that stands still until a test moves it."""

from __future__ import annotations


class Clock:
    """Stands for `time.monotonic`, and for the module `time` where only that is used."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now
