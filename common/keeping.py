"""What must not be lost while the database is away, kept by the thread that has it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)


def keep_trying(write: Callable[[], object], *, seconds: float, pause: float, what: str) -> None:
    """Run `write` until it succeeds. After `seconds` its error is raised."""
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            write()
            return
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > give_up_at:
                raise
            logger.warning("%s waits for the database: %s", what, error)
        time.sleep(pause)
