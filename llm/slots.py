"""How many calls may be under way: per model over all processes, and per process over all models.

Some of those that find no slot may wait a moment for one: after an outage many come at once that
came one by one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from common.leases import Leases
from llm.errors import Busy, ModelsBusy
from llm.models import LanguageModel

# Threads of a worker that never wait for a model, so that FAQ hits, commands and handovers go
# through.
_THREADS_KEPT_FREE = 50

# How often who waits for a model's slot looks again; other processes free slots too, and tell
# nobody.
_LOOK_AGAIN_SECONDS = 0.2

_leases = Leases()
_freed = threading.Condition()
_under_way = 0
_waiting = 0


def slots_in_a_process() -> int:
    """A worker with few threads keeps half of them free."""
    threads = settings.WORKER_THREADS
    return max(threads - _THREADS_KEPT_FREE, threads // 2, 1)


def waiting_places() -> int:
    """Half of the threads that are kept free of models may wait for one, so that the rest of the
    work goes on.
    """
    return max(settings.WORKER_THREADS - slots_in_a_process(), 0) // 2


@contextmanager
def place_in_this_process(*, patience: float = 0.0) -> Iterator[None]:
    global _under_way
    with _freed:
        if not _has_place() and not _wait_until_freed(patience):
            raise ModelsBusy(f"{_under_way} calls are under way in this process")
        _under_way += 1
    try:
        yield
    finally:
        with _freed:
            _under_way -= 1
            _freed.notify()


def wait_for_slot() -> bool:
    """A moment's wait before the next look. False: enough others are waiting."""
    with _freed:
        if not _may_wait():
            return False
        _count_waiting(1)
    time.sleep(_LOOK_AGAIN_SECONDS)
    with _freed:
        _count_waiting(-1)
    return True


def _has_place() -> bool:
    return _under_way < slots_in_a_process()


def _wait_until_freed(patience: float) -> bool:
    if patience <= 0 or not _may_wait():
        return False
    _count_waiting(1)
    try:
        return _freed.wait_for(_has_place, patience)
    finally:
        _count_waiting(-1)


def _may_wait() -> bool:
    return _waiting < waiting_places()


def _count_waiting(change: int) -> None:
    global _waiting
    _waiting += change


@contextmanager
def slot(model: LanguageModel) -> Iterator[None]:
    name = f"llm:slots:{model.pk}"
    lease = _leases.acquire(name, model.max_in_flight)
    if lease is None:
        raise Busy(f"{model.max_in_flight} calls are under way")
    try:
        yield
    finally:
        _leases.release(name, lease)
