"""Work that the page does not wait for. Daemon threads: a push under way must not hold up the end
of the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

MOST_AT_ONCE = 48
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class TooMuchAtOnce(Exception):
    """More pushes are under way than a person could have caused."""


def run(job: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    places = _places
    if not places.acquire(blocking=False):
        raise TooMuchAtOnce

    def work() -> None:
        try:
            job(*args, **kwargs)
        finally:
            connections.close_all()
            places.release()

    threading.Thread(target=work, name="simulated-wechat", daemon=True).start()


def run_each(job: Callable[[T], object], things: Iterable[T]) -> None:
    """`job` for all of `things` at the same time; returns when all are done."""

    def work(thing: T) -> None:
        try:
            job(thing)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(thing,), daemon=True) for thing in things]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
