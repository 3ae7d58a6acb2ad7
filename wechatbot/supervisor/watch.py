"""Does a child hang? Asked every five seconds; three times without a sign of life, and it does."""

from __future__ import annotations

import time

from wechatbot.supervisor.signs import Sign

ASK_EVERY = 5.0
ANSWER_WITHIN = 3.0
MISSES = 3
# A child that starts is asked more often, so that its life is known soon.
ASK_A_STARTER_EVERY = 1.0
# Importing on a slow machine, or Redis reading a large file: a child that has given no sign yet is
# starting.
START_MAY_TAKE = 300.0
# Whoever looks so late was held up itself (a machine that slept, a stopped group): what it missed
# says nothing. Longer than the two seconds that a question for `/readyz` may take at the start.
LATE_LOOK = 4.0


class Watch:
    def __init__(self, sign: Sign) -> None:
        self._sign = sign
        self.begin()

    def begin(self) -> None:
        """The child has just been started."""
        self._started = self._looked = time.monotonic()
        self._has_lived = False
        self._forget_misses()

    def _forget_misses(self) -> None:
        self._misses = 0
        self._is_asked, self._asked = False, self._looked
        self._next = self._looked + self._pause

    @property
    def _pause(self) -> float:
        return ASK_EVERY if self._has_lived else ASK_A_STARTER_EVERY

    def look(self) -> bool:
        """Called several times a second. True: the child hangs."""
        now = time.monotonic()
        is_late = now - self._looked > LATE_LOOK
        self._looked = now
        if is_late:
            self._forget_misses()
        elif self._is_asked:
            self._listen(now)
        elif now >= self._next:
            self._is_asked, self._asked = True, now
            self._next = now + self._pause
            self._sign.ask()
        if not self._has_lived:
            return now - self._started > START_MAY_TAKE
        return self._misses >= MISSES

    def _listen(self, now: float) -> None:
        if self._sign.listen():
            self._has_lived, self._is_asked, self._misses = True, False, 0
        elif now > self._asked + min(ANSWER_WITHIN, self._pause):
            self._is_asked = False
            self._misses += 1
