"""How many calls may be under way: per model over all processes, and per process over all models."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from common.leases import Leases
from llm.errors import Busy, ModelsBusy
from llm.models import LanguageModel

# Threads of a worker that never wait for a model, so that FAQ hits, commands and handovers go through.
_THREADS_KEPT_FREE = 50

_leases = Leases()
_lock = threading.Lock()
_under_way = 0


def places_in_a_process() -> int:
    """A worker with few threads keeps half of them free."""
    threads = settings.WORKER_THREADS
    return max(threads - _THREADS_KEPT_FREE, threads // 2, 1)


@contextmanager
def place_in_this_process() -> Iterator[None]:
    global _under_way
    with _lock:
        if _under_way >= places_in_a_process():
            raise ModelsBusy(f"{_under_way} calls are under way in this process")
        _under_way += 1
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1


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
