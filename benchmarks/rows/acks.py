"""Acknowledging a push: what it costs at saturation, and how long it takes at 200 a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.figures import Table, percentile
from benchmarks.load import OK, Outcome
from benchmarks.meter import Meter
from benchmarks.peers.commands import asgi_echo, flask_on_gunicorn
from benchmarks.shop import Question
from benchmarks.stack import ACK_ONLY, Target

MOST_PUSHES_PER_SECOND = 9000
AT_ONCE = 64
TEXT = "请问我昨天买的保温杯什么时候发货？"


@dataclass(frozen=True)
class Acks:
    """Milliseconds of CPU per acknowledged push, and how many there were in a second."""

    per_second: float
    by_part: dict[str, float]

    @property
    def total(self) -> float:
        return sum(self.by_part.values())


Candidate = Callable[[Bench], AbstractContextManager[Target]]


@contextmanager
def product(bench: Bench, *, hold_seconds: float = 0.0) -> Iterator[Target]:
    with bench.stack.product(application=ACK_ONLY, HOLD_SECONDS=str(hold_seconds)) as running:
        yield running.target()


def asgi(bench: Bench) -> AbstractContextManager[Target]:
    return bench.peer(asgi_echo)


def flask(bench: Bench) -> AbstractContextManager[Target]:
    return bench.peer(flask_on_gunicorn)


def cost(bench: Bench) -> Table:
    table = Table(
        "CPU per acknowledged push, at saturation",
        f"Safe mode, distinct customers, {AT_ONCE} connections kept busy, a fresh one per push. "
        "Ours stores, "
        "deduplicates and limits each push (MariaDB, every commit on disk); the peers store "
        "nothing. Answering is left "
        "out.",
    )
    ours, bare, sample = [], [], []
    for _ in range(bench.rounds):
        ours.append(_saturate(bench, product))
        bare.append(_saturate(bench, asgi))
        sample.append(_saturate(bench, flask))
    pairs = list(zip(ours, bare, sample, strict=True))
    table.add(
        "whole stack against bare ASGI echo",
        [a.total / b.total for a, b, _ in pairs],
        "x",
        3.0,
        1.7,
    )
    table.add(
        "whole stack against Flask echo", [a.total / c.total for a, _, c in pairs], "x", 0.4, 0.25
    )
    table.add("ours: whole stack", [a.total for a in ours], "ms")
    for part in ours[0].by_part:
        table.add(f"ours: {part}", [a.by_part[part] for a in ours], "ms")
    table.add("bare ASGI echo", [b.total for b in bare], "ms")
    table.add("Flask + wechatpy echo, gunicorn 2x4", [c.total for c in sample], "ms")
    for name, measured in (("ours", ours), ("bare ASGI echo", bare), ("Flask", sample)):
        table.add(f"{name}: pushes a second", [one.per_second for one in measured])
    return table


def _saturate(bench: Bench, candidate: Candidate) -> Acks:
    seconds = bench.seconds(8, 2)
    with candidate(bench) as target:
        _send(bench, target.port, 1.0)
        asked = [Question(TEXT, "")] * int(MOST_PUSHES_PER_SECOND * seconds)
        load = bench.send(asked, target.port, at_once=AT_ONCE, seconds=seconds)
        load.wait_for_begin()
        bench.profiler.watch("ack", target)
        meter = Meter(target.pids)
        outcomes = load.finish()
        spent = meter.read()
    good = len([one for one in outcomes if one.deliveries[-1].status == OK])
    if good < len(outcomes):
        raise RuntimeError(
            f"{len(outcomes) - good} of {len(outcomes)} pushes were not acknowledged"
        )
    lasted = max(one.deliveries[-1].ended for one in outcomes) - outcomes[0].started
    return Acks(good / lasted, spent.milliseconds_each(good))


def _send(bench: Bench, port: int, seconds: float) -> list[Outcome]:
    """A second of warm-up: imports, caches, connections."""
    return bench.send([Question(TEXT, "")] * int(200 * seconds), port, rate=200).finish()


def _beyond_the_hold(bench: Bench) -> list[float]:
    """Milliseconds beyond a hold of 2 s."""
    latencies = _latencies(bench, lambda bench: product(bench, hold_seconds=2.0))
    return [latency - 2000 for latency in latencies]


def latency(bench: Bench) -> Table:
    table = Table(
        "Acknowledgement at 200 pushes a second",
        "API account, arrivals as customers come (Poisson), a fresh connection per push, answering "
        "left out. "
        "Beyond the hold: with HOLD_SECONDS=2 the two seconds are taken off.",
    )
    at_once = [_latencies(bench, product) for _ in range(bench.rounds)]
    table.add("HOLD_SECONDS=0, p50", [percentile(one, 0.5) for one in at_once], "ms", 10, 5)
    table.add("HOLD_SECONDS=0, p99", [percentile(one, 0.99) for one in at_once], "ms", 60, 25)
    held = [_beyond_the_hold(bench) for _ in range(bench.rounds)]
    table.add("beyond a hold of 2 s, p50", [percentile(one, 0.5) for one in held], "ms", 10, 5)
    table.add("beyond a hold of 2 s, p99", [percentile(one, 0.99) for one in held], "ms", 60, 25)
    peers = (("bare ASGI echo", asgi), ("Flask + wechatpy echo, gunicorn 2x4", flask))
    for name, peer in peers[:1] if bench.quick else peers:
        latencies = _latencies(bench, peer)
        table.add(f"{name}, p50", percentile(latencies, 0.5), "ms")
        table.add(f"{name}, p99", percentile(latencies, 0.99), "ms")
    return table


def _latencies(bench: Bench, candidate: Candidate) -> list[float]:
    with candidate(bench) as target:
        _send(bench, target.port, 1.0)
        outcomes = _send(bench, target.port, bench.seconds(15, 3))
    latencies = [one.acknowledged_after for one in outcomes]
    return [float("inf") if latency is None else latency * 1000 for latency in latencies]
