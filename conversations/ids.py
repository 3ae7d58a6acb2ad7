"""Ids that a process makes for itself, so that a batch of messages is stored by one INSERT and knows its rows.

63 bits: milliseconds since 2024, then 10 bits of this process, then a counter of 12 bits. They grow with time, as an
index likes. Should two processes ever make the same id, the insert is ignored and the intake makes another one.
"""

from __future__ import annotations

import itertools
import secrets
import time

EPOCH_MS = 1_704_067_200_000
_process = secrets.randbits(10)
_counter = itertools.count(secrets.randbits(12))


def new_id() -> int:
    milliseconds = time.time_ns() // 1_000_000 - EPOCH_MS
    return milliseconds << 22 | _process << 12 | next(_counter) & 0xFFF
