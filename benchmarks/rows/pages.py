"""The admin's pages after years of service: what staff open all day must not read whole tables."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request

from benchmarks.bench import Bench
from benchmarks.figures import Table, percentile
from benchmarks.stack import Product

MESSAGES, TICKETS = 1_000_000, 50_000
QUICK_MESSAGES, QUICK_TICKETS = 100_000, 5_000
COOKIE = "wechatbot_session"

# Path, and the bars in milliseconds: at least, goal.
PAGES: dict[str, tuple[str, tuple[float, ...]]] = {
    "front page": ("/admin/", (150, 75)),
    "message list": ("/admin/conversations/message/", (200, 100)),
    "messages of today that want an answer": (
        "/admin/conversations/message/?state=to_answer&received_at=today",
        (200, 100),
    ),
    "reply list": ("/admin/conversations/reply/", (200, 100)),
    "conversation list": ("/admin/conversations/conversation/", (200, 100)),
    "ticket list": ("/desk/", (150, 75)),
    "resolved tickets": ("/desk/?queue=resolved", (150, 75)),
    "all tickets": ("/desk/?queue=all", ()),
    "a ticket": (f"/desk/{QUICK_TICKETS}/", (150, 75)),
}


def pages(bench: Bench) -> Table:
    messages, tickets = (QUICK_MESSAGES, QUICK_TICKETS) if bench.quick else (MESSAGES, TICKETS)
    reads = 5 if bench.quick else 15
    table = Table(
        f"Pages of the admin with {messages:,} messages and {tickets:,} tickets",
        "MariaDB, as many replies as messages, over 100 days; 500 tickets are open. The median of "
        f"{reads} reads of "
        "each page, one at a time, from the request's first byte to the page's last, after one "
        "read that is not "
        "counted; the worst of them beside it.",
    )
    with bench.stack.product(workers=0) as product:
        session = _fill(bench, messages, tickets)
        for name, (path, bars) in PAGES.items():
            _read(product, path, session)
            taken = [_read(product, path, session) for _ in range(reads)]
            table.add(name, percentile(taken, 0.5), "ms", *bars)
            table.add(f"{name}, the worst", max(taken), "ms")
    return table


def _fill(bench: Bench, messages: int, tickets: int) -> str:
    """Returns the session of a reader."""
    command = [sys.executable, "-m", "benchmarks.history", str(messages), str(tickets)]
    done = subprocess.run(
        command, env=bench.stack.environment(), check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.split()[-1]


def _read(product: Product, path: str, session: str) -> float:
    """Milliseconds."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{product.port}{path}", headers={"Cookie": f"{COOKIE}={session}"}
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as response:
        response.read()
    if response.url != request.full_url:
        raise RuntimeError(f"{path} led to {response.url}")
    return (time.perf_counter() - began) * 1000
