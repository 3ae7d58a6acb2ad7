"""Python's garbage collector in a process that lives long and makes many short-lived objects."""

from __future__ import annotations

import gc

# Objects that may come before a look at the youngest ones (Python: 700). What a request makes is
# nearly always freed by its reference count; the looks found little and cost a twentieth of an
# acknowledged push.
YOUNGEST = 10_000
LOOKS_AT_YOUNGEST_PER_MIDDLE = 20
LOOKS_AT_MIDDLE_PER_OLDEST = 50


def keep_what_is_loaded() -> None:
    """Call once, when all modules are imported: they stay for good, so the collector need not look
    at them again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, LOOKS_AT_YOUNGEST_PER_MIDDLE, LOOKS_AT_MIDDLE_PER_OLDEST)
