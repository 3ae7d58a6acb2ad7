"""What every row is given: the stack, how long and how often to measure, and the peers."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Load, send
from benchmarks.peers.commands import Command
from benchmarks.profile import Profiler
from benchmarks.shop import Question
from benchmarks.stack import Stack, Target, Thinking, is_open, running
from tests.services.process import Process
from tests.stack import ROOT, free_port


@dataclass(frozen=True)
class Bench:
    stack: Stack
    quick: bool
    profiler: Profiler

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3

    def seconds(self, full: float, quick: float) -> float:
        return quick if self.quick else full

    @property
    def folder(self) -> Path:
        return self.stack.folder

    def send(self, asked: Sequence[Question], port: int, **order: object) -> Load:
        return send(self.folder, asked, port, **order)

    @contextlib.contextmanager
    def peer(self, command: Command, *, thinking: Thinking | None = None) -> Iterator[Target]:
        """A peer under its own port; with `thinking` it asks the model."""
        port = free_port()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PORT": str(port)}
        if thinking:
            environment["MODEL_URL"] = f"http://127.0.0.1:{self.stack.model_port}/v1"
        process = Process(command(port), log=self.folder / "peer.log", environment=environment)
        model = [self.stack.model(thinking)] if thinking else []
        with running([*model, process]):
            process.wait_until(lambda: is_open(port), 30, "the peer listens")
            yield Target(port, {"web": process.pid})


def say(*words: object, end: str = "\n") -> None:
    print(*words, file=sys.stderr, end=end, flush=True)
