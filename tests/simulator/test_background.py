from __future__ import annotations

import threading

import pytest

from simulator import background


def test_it_runs_beside_the_caller_and_takes_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_places", threading.BoundedSemaphore(1))
    begun, may_end = threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        may_end.wait(10)

    background.run(job)
    assert begun.wait(10)
    with pytest.raises(background.TooMuchAtOnce):
        background.run(job)
    may_end.set()


def test_a_job_that_fails_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(background, "_places", places)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)

    def job() -> None:
        raise ValueError("on purpose")

    background.run(job)
    assert places.acquire(timeout=10)
