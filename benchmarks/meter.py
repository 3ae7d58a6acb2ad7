"""CPU time and memory of processes, read from /proc."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

MB = 1024 * 1024


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its living children."""
    return sum(_own_cpu(process) for process in _family(pid))


def _own_cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def rss(pid: int) -> int:
    return sum(process.memory_info().rss for process in _family(pid))


def pss(pid: int) -> int:
    """Memory with shared pages counted once over all who share them: what the group takes from the
    machine.
    """
    return sum(process.memory_full_info().pss for process in _family(pid))


@dataclass(frozen=True)
class Spent:
    """CPU seconds by part of the stack, and how long it was measured."""

    by_part: Mapping[str, float]
    seconds: float

    @property
    def total(self) -> float:
        return sum(self.by_part.values())

    def milliseconds_each(self, count: int) -> dict[str, float]:
        return {part: spent / count * 1000 for part, spent in self.by_part.items()}


class Meter:
    """Starts at once; `read()` may be asked more than once."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._started = time.monotonic()
        self._before = self._now()

    def read(self) -> Spent:
        by_part = {part: spent - self._before[part] for part, spent in self._now().items()}
        return Spent(by_part, time.monotonic() - self._started)

    def _now(self) -> dict[str, float]:
        return {part: cpu_seconds(pid) for part, pid in self._pids.items()}
