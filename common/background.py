"""Threads that a process counts on for all its life: one error must not end them without a word."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

PAUSE_AFTER_ERROR = 1.0


def repeat_for_ever(name: str, step: Callable[[], None]) -> None:
    """Run `step` again and again in a daemon thread of this name. What it raises is logged."""

    def run() -> None:
        while True:
            try:
                step()
            except Exception:
                # Whatever it was: without this thread the process is only half alive.
                logger.exception("the thread %s goes on after an error", name)
                time.sleep(PAUSE_AFTER_ERROR)

    threading.Thread(target=run, name=name, daemon=True).start()
