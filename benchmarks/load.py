"""Send a load and see what became of every message."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.client import Order
from benchmarks.shop import Question
from tests.stack import ROOT

OK = 200


@dataclass(frozen=True)
class Delivered:
    seconds: float
    status: int
    text: str
    ended: float


@dataclass(frozen=True)
class Outcome:
    """One message: when it was sent, its deliveries, and the texts the customer got, with their
    times.
    """

    openid: str
    started: float
    expected: str
    deliveries: tuple[Delivered, ...]
    by_api: tuple[tuple[str, float], ...] = ()

    @property
    def answers(self) -> list[float]:
        """Seconds after which each answer came. WeChat shows one passive reply per message."""
        passive = [one.ended for one in self.deliveries if self.expected in one.text][:1]
        api = [moment for text, moment in self.by_api if self.expected in text]
        return sorted(moment - self.started for moment in [*passive, *api])

    @property
    def other_texts(self) -> list[str]:
        passive = [one.text for one in self.deliveries]
        by_api = [text for text, _ in self.by_api]
        return [text for text in passive + by_api if text and self.expected not in text]

    @property
    def acknowledged_after(self) -> float | None:
        return next((one.ended - self.started for one in self.deliveries if one.status == OK), None)


class Load:
    """A load client under way. `begins_at` (time.monotonic) is when the first push leaves."""

    def __init__(self, folder: Path, order: Order, asked: Sequence[Question]) -> None:
        self._order_file, self._outcomes_file = folder / "order.json", folder / "outcomes.json"
        self._asked = asked
        self.cpu_seconds = 0.0
        self._order_file.write_text(json.dumps(asdict(order), ensure_ascii=False), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "benchmarks.client",
            str(self._order_file),
            str(self._outcomes_file),
        ]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.begins_at = float(self._process.stdout.readline())

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_for_begin(self) -> None:
        time.sleep(max(self.begins_at - time.monotonic(), 0))

    def finish(self) -> list[Outcome]:
        assert self._process.stdout is not None
        said = self._process.stdout.read()
        if code := self._process.wait():
            raise RuntimeError(f"the load client ended with code {code}")
        self.cpu_seconds = float(said)
        sent = json.loads(self._outcomes_file.read_text(encoding="utf-8"))
        return [_outcome(one, asked) for one, asked in zip(sent, self._asked, strict=False)]


def send(folder: Path, asked: Sequence[Question], port: int, **order: Any) -> Load:
    return Load(folder, Order(port=port, texts=[one.text for one in asked], **order), asked)


def _outcome(one: dict[str, Any], asked: Question) -> Outcome:
    deliveries = tuple(
        Delivered(end - start, status, text, end) for start, end, status, text in one["deliveries"]
    )
    return Outcome(one["openid"], one["started"], asked.expected, deliveries)


def with_api_texts(
    outcomes: Sequence[Outcome],
    fetch: Callable[[], list[tuple[str, str, float]]],
    *,
    patience: float,
) -> list[Outcome]:
    """Add what went out by the customer-service API, waiting for the last answers."""
    texts: dict[str, list[tuple[str, float]]] = defaultdict(list)
    end = time.monotonic() + patience
    while True:
        for openid, text, moment in fetch():
            texts[openid].append((text, moment))
        complete = [
            Outcome(one.openid, one.started, one.expected, one.deliveries, tuple(texts[one.openid]))
            for one in outcomes
        ]
        if all(one.answers for one in complete) or time.monotonic() > end:
            return complete
        time.sleep(0.1)
