"""The last look before a commit: a transaction may have waited for a lock, or for a server that
said nothing.
"""

from __future__ import annotations

import time


class DeadlinePassed(Exception):
    """Whoever asked for it was told meanwhile that it did not happen: it must not be committed any
    more.
    """


def still_before(latest: float) -> None:
    """`latest` is of `time.monotonic()`."""
    if time.monotonic() >= latest:
        raise DeadlinePassed
