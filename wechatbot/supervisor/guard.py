"""Ends a child that hangs. Its parent sees it die and starts another one."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from wechatbot.supervisor.child import Child
from wechatbot.supervisor.pulse import DUMP_SIGNAL
from wechatbot.supervisor.signs import Sign
from wechatbot.supervisor.watch import Watch

# A stopped process writes nothing; any other has its stacks in the log by then.
DUMP_MAY_TAKE = 0.5


class Guard:
    def __init__(
        self, child: Child, sign: Sign, say: Callable[[str], None], *, can_dump: bool = True
    ) -> None:
        self._child = child
        self._say = say
        self._can_dump = can_dump
        self._watch = Watch(sign)
        self._life = 0.0
        self._kill_at: float | None = None

    def look(self) -> None:
        if not self._child.is_running:
            return
        if self._life != self._child.started:
            self._life, self._kill_at = self._child.started, None
            self._watch.begin()
        if self._kill_at is not None:
            self._end_in_time(self._kill_at)
        elif self._watch.look():
            self._ask_for_stacks()

    def _ask_for_stacks(self) -> None:
        self._say(
            f"{self._child.name} gives no sign of life and is ended; where it stands, if it can "
            "still tell:"
        )
        if self._can_dump:
            self._child.send(DUMP_SIGNAL)
        self._kill_at = time.monotonic() + (DUMP_MAY_TAKE if self._can_dump else 0)

    def _end_in_time(self, moment: float) -> None:
        """SIGKILL and nothing gentler: a process that is stopped obeys no other signal."""
        if time.monotonic() >= moment:
            self._child.send(signal.SIGKILL)
