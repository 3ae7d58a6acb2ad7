"""Answering at a steady rate: by a model that thinks for three seconds, and from the knowledge
base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import shop
from benchmarks.account import Kind
from benchmarks.bench import Bench, say
from benchmarks.counters import Asked
from benchmarks.figures import Table, percentile
from benchmarks.load import Outcome, with_api_texts
from benchmarks.meter import Meter, Spent
from benchmarks.peers.commands import Command, flask_on_gunicorn, flask_thread_each
from benchmarks.shop import Question
from benchmarks.stack import Product, Thinking

# After the last push: its three deliveries, a sweep, a second attempt.
PATIENCE = 30.0
PEERS = (("gunicorn 2x4", flask_on_gunicorn), ("a thread per connection", flask_thread_each))


@dataclass(frozen=True)
class Run:
    outcomes: list[Outcome]
    spent: Spent
    model_calls: int
    servers_asked: Asked | None = None

    @property
    def answered(self) -> float:
        return len(self.latencies) / len(self.outcomes) * 100

    @property
    def latencies(self) -> list[float]:
        """Seconds to the first answer, of those that got one."""
        return [one.answers[0] for one in self.outcomes if one.answers]

    @property
    def answered_twice(self) -> int:
        return len([one for one in self.outcomes if len(one.answers) > 1])

    @property
    def calls_each(self) -> float:
        return self.model_calls / len(self.outcomes)

    @property
    def cpu_each(self) -> float:
        """Milliseconds of the whole stack, also for those that were not answered."""
        return self.spent.total / max(len(self.latencies), 1) * 1000

    def percentile(self, share: float) -> float:
        return percentile(self.latencies, share)


def ask(
    bench: Bench,
    product: Product,
    asked: Sequence[Question],
    *,
    kind: Kind,
    rate: float,
    name: str,
    patience: float = PATIENCE,
) -> Run:
    """Send, wait until all is answered, and read what it cost."""
    _warm_up(bench, product.port, kind)
    calls = bench.stack.model_stats()["calls"]
    bench.stack.sent_by_api()
    before = bench.stack.servers_asked()
    load = bench.send(asked, product.port, rate=rate, kind=kind)
    load.wait_for_begin()
    target = product.target()
    bench.profiler.watch(f"{name} {kind}", target)
    meter, fakes = Meter(target.pids), Meter(product.fakes())
    outcomes = with_api_texts(load.finish(), bench.stack.sent_by_api, patience=patience)
    beside = {
        **fakes.read().milliseconds_each(len(asked)),
        "client": load.cpu_seconds / len(asked) * 1000,
    }
    spent, servers_asked = meter.read(), bench.stack.servers_asked().since(before)
    run = Run(outcomes, spent, bench.stack.model_stats()["calls"] - calls, servers_asked)
    _tell(f"{name} {kind}", run)
    say("    beside it:", {part: round(cost, 2) for part, cost in beside.items()}, "ms")
    return run


def _warm_up(bench: Bench, port: int, kind: Kind) -> None:
    """Imports, indexes, connections, the access token."""
    asked = [*shop.for_the_knowledge_base(10), *shop.for_the_model(10)]
    outcomes = bench.send(asked, port, rate=20, kind=kind, prefix="warm").finish()
    with_api_texts(outcomes, bench.stack.sent_by_api, patience=PATIENCE)


def _tell(name: str, run: Run) -> None:
    """On the screen only: what a person wants to see when something is wrong."""
    parts = {
        part: round(cost, 2)
        for part, cost in run.spent.milliseconds_each(len(run.outcomes)).items()
    }
    latencies = [round(run.percentile(share), 3) for share in (0.5, 0.95, 0.99, 1.0)]
    say(
        f"  {name}: {run.answered:.2f} % of {len(run.outcomes)} answered, {run.answered_twice} "
        "twice,",
        end=" ",
    )
    say(
        f"{run.calls_each:.3f} calls each, p50 p95 p99 max {latencies} s, CPU {run.cpu_each:.1f} "
        f"ms {parts}"
    )
    if run.servers_asked:
        say("    asked for each message:", run.servers_asked.each(len(run.outcomes)))
    unanswered = [one for one in run.outcomes if not one.answers]
    for one in unanswered[:3]:
        say(
            "    not answered:",
            [(round(d.seconds, 2), d.status, d.text[:40]) for d in one.deliveries],
            one.by_api,
        )


def model(bench: Bench) -> Table:
    table = Table(
        "50 messages a second, a model that thinks for 3 s (10 chunks)",
        "One web and one worker process, every message from another customer with another "
        "question, 1,000 FAQs. "
        "Answered: the model's words reached the customer, passively or by the API.",
    )
    count = int(50 * bench.seconds(25, 5))
    for kind in ("api", "passive"):
        runs = []
        for _ in range(bench.rounds):
            with bench.stack.product(thinking=Thinking()) as product:
                runs.append(
                    ask(
                        bench,
                        product,
                        shop.for_the_model(count),
                        kind=kind,
                        rate=50,
                        name="model 50/s",
                    )
                )
        _add(table, f"{kind} account", runs)
        _add_cpu(table, f"{kind} account", runs, 20, 12)
    if not bench.quick:
        with bench.stack.product(thinking=Thinking(chunks=100)) as product:
            run = ask(
                bench, product, shop.for_the_model(count), kind="api", rate=50, name="100 chunks"
            )
        table.add("api account, 100 chunks: answered", run.answered, "%")
        table.add("api account, 100 chunks: CPU of the whole stack a message", run.cpu_each, "ms")
    for name, command in PEERS[1:] if bench.quick else PEERS:
        answered, p95, calls, cpu = _peer(bench, command, count)
        table.add(f"Flask sample, {name}: answered", answered, "%")
        table.add(f"Flask sample, {name}: p95", p95, "s")
        table.add(f"Flask sample, {name}: model calls a message", calls)
        table.add(f"Flask sample, {name}: CPU a message", cpu, "ms")
    return table


def _add(table: Table, name: str, runs: Sequence[Run]) -> None:
    table.add(
        f"{name}: answered", [run.answered for run in runs], "%", 100, 100, more_is_better=True
    )
    table.add(f"{name}: answered twice", [run.answered_twice for run in runs], "", 0, 0)
    table.add(f"{name}: model calls a message", [run.calls_each for run in runs], "", 1.0, 1.0)
    table.add(f"{name}: p50", [run.percentile(0.5) for run in runs], "s")
    table.add(f"{name}: p95", [run.percentile(0.95) for run in runs], "s", 3.4, 3.15)


def _add_cpu(table: Table, name: str, runs: Sequence[Run], at_least: float, goal: float) -> None:
    table.add(
        f"{name}: CPU of the whole stack a message",
        [run.cpu_each for run in runs],
        "ms",
        at_least,
        goal,
    )
    for part in runs[0].spent.by_part:
        table.add(
            f"{name}: of which {part}",
            [run.spent.milliseconds_each(len(run.outcomes))[part] for run in runs],
            "ms",
        )


def _peer(bench: Bench, command: Command, count: int) -> tuple[float, float, float, float]:
    asked = shop.for_the_model(count)
    with bench.peer(command, thinking=Thinking()) as target:
        load = bench.send(asked, target.port, rate=50)
        load.wait_for_begin()
        meter = Meter(target.pids)
        run = Run(load.finish(), meter.read(), 0)
        calls = bench.stack.model_stats()["calls"] / count
    return run.answered, run.percentile(0.95), calls, run.cpu_each


def faq(bench: Bench) -> Table:
    table = Table(
        "FAQ answers at 50 messages a second",
        "API account, 1,000 FAQs, every message from another customer; from the push's first byte "
        "to the end of the "
        "passive reply.",
    )
    runs = []
    for _ in range(bench.rounds):
        with bench.stack.product(thinking=Thinking()) as product:
            asked = shop.for_the_knowledge_base(int(50 * bench.seconds(25, 4)))
            runs.append(ask(bench, product, asked, kind="api", rate=50, name="FAQ"))
    table.add("answered", [run.answered for run in runs], "%", 100, 100, more_is_better=True)
    for name, share, at_least, goal in (
        ("p50", 0.5, 20, 8),
        ("p95", 0.95, None, None),
        ("p99", 0.99, 80, 30),
    ):
        bars = () if at_least is None else (at_least, goal)
        table.add(name, [run.percentile(share) * 1000 for run in runs], "ms", *bars)
    _add_cpu(table, "FAQ", runs, 8, 4)
    return table
