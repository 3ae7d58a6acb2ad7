"""Nothing is lost: the database away for ten seconds, a worker killed."""

from __future__ import annotations

import time

from benchmarks import shop
from benchmarks.bench import Bench, say
from benchmarks.figures import Table
from benchmarks.load import Outcome, with_api_texts
from benchmarks.stack import Thinking

RATE = 20
AWAY_SECONDS = 10
# As the supervisor does.
RESTART_AFTER = 1.0
PATIENCE = 60.0


def database_away(bench: Bench) -> Table:
    table = Table(
        f"Database away for {AWAY_SECONDS} s at {RATE} messages a second",
        "MariaDB is killed and started again; API account, a model that thinks for 3 s, WeChat's "
        "three deliveries.",
    )
    with bench.stack.product(thinking=Thinking()) as product:
        load = bench.send(
            shop.for_the_model(int(RATE * bench.seconds(30, 14))), product.port, rate=RATE
        )
        load.wait_for_begin()
        time.sleep(bench.seconds(10, 2))
        bench.stack.mariadb.kill()
        time.sleep(AWAY_SECONDS)
        bench.stack.mariadb.start()
        outcomes = with_api_texts(load.finish(), bench.stack.sent_by_api, patience=PATIENCE)
        calls = bench.stack.model_stats()["calls"]
    _add(bench, table, outcomes, calls)
    return table


def worker_killed(bench: Bench) -> Table:
    table = Table(
        f"Worker killed at {RATE} messages a second",
        f"The only worker process is killed (-9) with some {RATE * 3} answers in flight and "
        "started again after "
        f"{RESTART_AFTER:.0f} s, as the supervisor does; API account, a model that thinks for 3 s.",
    )
    with bench.stack.product(thinking=Thinking()) as product:
        load = bench.send(
            shop.for_the_model(int(RATE * bench.seconds(30, 10))), product.port, rate=RATE
        )
        load.wait_for_begin()
        time.sleep(bench.seconds(10, 5))
        product.workers[0].kill()
        time.sleep(RESTART_AFTER)
        product.workers[0].start()
        outcomes = with_api_texts(load.finish(), bench.stack.sent_by_api, patience=PATIENCE)
        calls = bench.stack.model_stats()["calls"]
    _add(bench, table, outcomes, calls, longest=(60, 30))
    return table


def _add(
    bench: Bench,
    table: Table,
    outcomes: list[Outcome],
    calls: int,
    *,
    longest: tuple[float, ...] = (),
) -> None:
    """Lost is what got neither an answer nor a ticket. A text whose sender died between WeChat's
    acceptance and our note of it is never sent twice: it is UNKNOWN, and shown to the staff.
    """
    missing = [one for one in outcomes if not one.answers]
    tickets, unknown = (
        set(bench.stack.openids_handed_over()),
        set(bench.stack.openids_of_unknown_outcome()),
    )
    lost = [one for one in missing if one.openid not in tickets | unknown]
    for one in missing[:5]:
        say(
            "  no answer:",
            [(round(d.seconds, 2), d.status, d.text[:60]) for d in one.deliveries],
            one.by_api,
        )
    waits = [one.answers[0] for one in outcomes if one.answers]
    table.add("messages", len(outcomes))
    table.add("lost", len(lost), "", 0, 0)
    table.add(
        "a ticket instead of an answer", len([one for one in missing if one.openid in tickets])
    )
    table.add(
        "died while it was sent, shown as unknown",
        len([one for one in missing if one.openid in unknown]),
    )
    table.add("answered twice", len([one for one in outcomes if len(one.answers) > 1]), "", 0, 0)
    table.add("longest wait", max(waits, default=float("inf")), "s", *longest)
    table.add("model calls a message", calls / len(outcomes))
