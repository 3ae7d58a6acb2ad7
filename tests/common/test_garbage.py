"""What is loaded at the start is not looked at again by the garbage collector, and what comes after
still is.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from common import garbage


class Knot:
    """Holds itself: only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def ordinary_collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_it_sets_aside_what_is_loaded() -> None:
    garbage.keep_what_is_loaded()
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()


def test_it_still_frees_what_was_made_after() -> None:
    garbage.keep_what_is_loaded()
    knot = Knot()
    found = weakref.ref(knot)
    del knot
    for _ in range(garbage.YOUNGEST + 1):
        gc_food = [Knot.__name__, []]
        gc_food.append(gc_food)
    assert found() is None
