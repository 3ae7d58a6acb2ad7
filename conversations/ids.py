"""Ids that a process makes for itself, so that a batch of messages is stored by one INSERT and
knows its rows.

63 bits: milliseconds since 2024, then 22 bits that this process has drawn by lot. Within a
millisecond they count on from there, so they grow with every call, as an index likes and as
messages of the same second are put in order, even when the clock is set back; and it is one clock
for all hosts. Should two processes ever make the same id, the insert is ignored and the intake
makes another one.
"""

from __future__ import annotations

import secrets
import threading

from common import clock

EPOCH_MS = 1_704_067_200_000
_lot = secrets.randbits(22)
_last = 0
_lock = threading.Lock()


def new_id() -> int:
    global _last
    milliseconds = int(clock.unix_time() * 1000) - EPOCH_MS
    with _lock:
        _last = max(milliseconds << 22 | _lot, _last + 1)
        return _last
