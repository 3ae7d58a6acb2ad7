"""Every connection is an open file, and many systems allow a process 1,024 of them until it asks
for more.
"""

from __future__ import annotations

import contextlib
import resource


def raise_file_limit() -> int:
    """Raise this process's limit to the most that it may have; its children inherit it. Returns
    what holds now.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A hard bound of "infinity" may lie above what the kernel gives to anybody; then the old limit
    # stays.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft
