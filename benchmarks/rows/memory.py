"""Memory: requests held open, a worker with 200 answers in flight, and the embedded group when
nobody writes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from benchmarks import shop
from benchmarks.bench import Bench
from benchmarks.figures import Table
from benchmarks.load import OK, Outcome
from benchmarks.meter import MB, cpu_seconds, pss, rss
from benchmarks.shop import Question
from benchmarks.stack import ACK_ONLY, Product, Thinking, is_answering
from tests.services.process import wait_until
from tests.stack import ROOT, free_port

HELD = 4000
HELD_RATE = 1150
# A third delivery, as CreateTime tells: it is held for 4.5 s and then gets the tap link.
LAST_DELIVERY_AGE = 10
IN_FLIGHT = 200


def held(bench: Bench) -> Table:
    table = Table(
        f"{HELD} requests held in one process",
        "Passive account, third deliveries, nobody answers: each is stored, held until the last "
        "moment and answered "
        f"with the tap link. They come at {HELD_RATE} a second.",
    )
    count = 1000 if bench.quick else HELD
    with bench.stack.product(application=ACK_ONLY) as product:
        _hold(bench, product, 300)
        before = rss(product.web.pid)
        outcomes, most = _hold(bench, product, count)
    in_time = [one for one in outcomes if one.deliveries[0].status == OK and one.deliveries[0].text]
    in_time = [one for one in in_time if one.deliveries[0].seconds <= 4.9]
    at_once = _most_open_at_once(outcomes)
    table.add(
        "answered within 4.9 s of arrival",
        len(in_time) / len(outcomes) * 100,
        "%",
        100,
        100,
        more_is_better=True,
    )
    table.add("longest", max(one.deliveries[0].seconds for one in outcomes), "s")
    table.add("held at the same time", at_once, "", count, count, more_is_better=True)
    table.add("memory for each", (most - before) / at_once / 1024, "KB", 20, 14)
    return table


def _hold(bench: Bench, product: Product, count: int) -> tuple[list[Outcome], int]:
    """The outcomes, and the most memory that the web process had meanwhile."""
    asked = [Question("在吗？我的订单到哪里了", "")] * count
    load = bench.send(
        asked,
        product.port,
        rate=HELD_RATE,
        evenly=True,
        kind="passive",
        age=LAST_DELIVERY_AGE,
        deliveries=1,
    )
    load.wait_for_begin()
    most = 0
    while load.is_running:
        most = max(most, rss(product.web.pid))
        time.sleep(0.1)
    return load.finish(), most


def _most_open_at_once(outcomes: list[Outcome]) -> int:
    opened = [(one.started, 1) for one in outcomes]
    closed = [(one.deliveries[0].ended, -1) for one in outcomes]
    is_open = most = 0
    for _, change in sorted(opened + closed):
        is_open += change
        most = max(most, is_open)
    return most


def worker(bench: Bench) -> Table:
    table = Table(
        f"A worker with {IN_FLIGHT} answers in flight",
        "API account, a model that thinks for 12 s; looked at when so many calls are under way.",
    )
    with bench.stack.product(thinking=Thinking(seconds=12)) as product:
        idle = rss(product.workers[0].pid)
        load = bench.send(shop.for_the_model(IN_FLIGHT + 20), product.port, rate=40)
        load.wait_for_begin()
        wait_until(
            lambda: bench.stack.model_stats()["in_flight"] >= IN_FLIGHT,
            60,
            what="200 calls are under way",
        )
        busy, shared = rss(product.workers[0].pid), pss(product.workers[0].pid)
        load.finish()
    table.add("resident memory", busy / MB, "MB", 160, 100)
    table.add("the same, shared pages divided", shared / MB, "MB")
    table.add("resident memory before the first message", idle / MB, "MB")
    return table


def embedded(bench: Bench) -> Table:
    table = Table(
        "The embedded group when nobody writes",
        "`manage.py serve --demo` on SQLite with a Redis of its own: supervisor, Redis, web, "
        "worker, deliver. Pages "
        "that processes share are counted once (PSS).",
    )
    port = free_port()
    environment = bench.stack.environment(PORT=str(port), DATA_DIR=str(bench.folder / "embedded"))
    for name in ("DATABASE_URL", "REDIS_URL", "WECHAT_API_URL", "WORKER_THREADS"):
        del environment[name]
    command = [sys.executable, "manage.py", "serve", "--demo"]
    with (bench.folder / "serve.log").open("wb") as log:
        serve = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: is_answering(port, "/readyz"), 90, what="serve is ready")
        time.sleep(bench.seconds(15, 3))
        group, whole, before = pss(serve.pid), rss(serve.pid), cpu_seconds(serve.pid)
        time.sleep(bench.seconds(15, 3))
        busy = (cpu_seconds(serve.pid) - before) / bench.seconds(15, 3)
    finally:
        os.kill(serve.pid, signal.SIGTERM)
        serve.wait()
    table.add("whole group", group / MB, "MB", 350, 300)
    table.add("resident memory of all added up", whole / MB, "MB")
    table.add("CPU of one core", busy * 100, "%")
    return table
