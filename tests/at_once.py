"""Stories that several processes live at the same moment: real threads with connections of their
own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(*stories: Callable[[], T]) -> list[T]:
    """Run them together; what each returned, in their order. The first error of one is raised."""
    start = threading.Barrier(len(stories))

    def live(story: Callable[[], T]) -> T:
        start.wait()
        try:
            return story()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(stories)) as pool:
        return list(pool.map(live, stories))
