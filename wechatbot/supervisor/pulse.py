"""A child's side of being watched: one byte a second into its parent's pipe, and its stacks into
the log on request.

A pipe and no key in Redis, because it says something of this one process: Redis or the database may
be away, and other workers may be well.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
import time

PULSE_PIPE = "WECHATBOT_PULSE_PIPE"
# Celery has handlers of its own for SIGUSR1.
DUMP_SIGNAL = signal.SIGUSR2
BEAT_SECONDS = 1.0


def dump_stacks_on_request() -> None:
    """Written by the signal handler itself: also when a loop in C lets no Python run."""
    faulthandler.register(DUMP_SIGNAL, all_threads=True)


def start() -> None:
    dump_stacks_on_request()
    pipe = os.environ.pop(PULSE_PIPE, "")
    if pipe:
        threading.Thread(
            target=_beat_for_ever, args=(int(pipe),), name="pulse", daemon=True
        ).start()


def _beat_for_ever(pipe: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # Nobody watches us any more: the parent has died.
        while True:
            os.write(pipe, b".")
            time.sleep(BEAT_SECONDS)
