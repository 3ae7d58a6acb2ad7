"""Where it gets hard: a model whose thinking time varies, and more messages a second, with two
worker processes.
"""

from __future__ import annotations

from benchmarks import shop
from benchmarks.bench import Bench
from benchmarks.figures import Table
from benchmarks.rows.answers import Run, ask
from benchmarks.stack import Thinking

WORKERS = 2
MEDIAN, P95 = 4.0, 12.0
QUICK_MEDIAN, QUICK_P95 = 1.5, 4.0
RATES = (80, 100, 125, 150)
ENOUGH_ANSWERED, IN_TIME = 99.9, 4.5


def lognormal(bench: Bench) -> Table:
    median, p95 = (QUICK_MEDIAN, QUICK_P95) if bench.quick else (MEDIAN, P95)
    table = Table(
        f"50 messages a second, a model that thinks for {median} s (median) to {p95} s (95th "
        "percentile)",
        "Lognormal, 10 chunks, API account, two worker processes. The share of messages answered "
        "within so many "
        "seconds, against the share of the model's own answers that took no longer.",
    )
    with bench.stack.product(
        workers=WORKERS, thinking=Thinking(lognormal=(median, p95))
    ) as product:
        asked = shop.for_the_model(int(50 * bench.seconds(60, 5)))
        run = ask(bench, product, asked, kind="api", rate=50, name="lognormal", patience=60)
        drawn = bench.stack.model_stats()["drawn"][-len(asked) :]
    for seconds in (5, 15, 30):
        ours = len([latency for latency in run.latencies if latency <= seconds]) / len(run.outcomes)
        models = len([thought for thought in drawn if thought <= seconds]) / len(drawn)
        name = f"within {seconds} s: ours {ours:.1%}, the model's own {models:.1%}"
        table.add(name, ours / models, "", 0.97, 0.99, more_is_better=True)
    table.add("answered", run.answered, "%")
    table.add("answered twice", run.answered_twice, "", 0, 0)
    table.add("model calls a message", run.calls_each)
    table.add("CPU of the whole stack a message", run.cpu_each, "ms")
    return table


def rate(bench: Bench) -> Table:
    table = Table(
        "How many messages a second",
        "A model that thinks for 3 s (10 chunks), API account, two worker processes. The highest "
        "rate with at least "
        f"{ENOUGH_ANSWERED} % answered and a 95th percentile of at most {IN_TIME} s.",
    )
    runs: dict[int, Run] = {}
    for rate in RATES[:1] if bench.quick else RATES:
        with bench.stack.product(workers=WORKERS, thinking=Thinking()) as product:
            asked = shop.for_the_model(int(rate * bench.seconds(25, 6)))
            runs[rate] = ask(bench, product, asked, kind="api", rate=rate, name=f"{rate}/s")
        if not _is_enough(runs[rate]):
            break
    highest = max((rate for rate, run in runs.items() if _is_enough(run)), default=0)
    table.add("messages a second", highest, "", 80, 150, more_is_better=True)
    for rate, run in runs.items():
        table.add(f"at {rate}/s: answered", run.answered, "%")
        table.add(f"at {rate}/s: p95", run.percentile(0.95), "s")
        table.add(f"at {rate}/s: CPU of the whole stack a message", run.cpu_each, "ms")
    return table


def _is_enough(run: Run) -> bool:
    return (
        run.answered >= ENOUGH_ANSWERED
        and run.percentile(0.95) <= IN_TIME
        and not run.answered_twice
    )
