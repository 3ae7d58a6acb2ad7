"""Everything goes wrong, one thing after the other: nothing is lost, nothing comes twice.

Two web processes behind nginx, two workers, both kinds of account, on servers of their own: a row
that kills and freezes them leaves those of the other rows alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from benchmarks.bench import Bench, say
from benchmarks.figures import Table
from tests.services.mariadb import PrivateMariaDB
from tests.system.endurance import Books, endurance, short_outages
from tests.system.shop import Shop
from tests.system.site import Site

A_SECOND, ROUNDS = 10, 3
MESSAGES, OUTAGES, MESSAGES_A_SECOND = 1000, 13, 20
# Every message comes from a customer who never wrote before.
SETTINGS = {"HOLD_SECONDS": "1", "NEW_CUSTOMERS_PER_MINUTE": "100000"}


def everything(bench: Bench) -> Table:
    table = Table(
        f"Every part dies or hangs in turn, {A_SECOND} messages a second",
        "2 web processes behind nginx, 2 workers, deliveries: each is killed and started again "
        "after 1 s, then frozen for 6 s; Redis is away for 6 s, MariaDB killed for 4 s and frozen "
        "for 7 s. Both kinds of account, half of the messages ask a model that thinks for 1.5 s.",
    )
    with _site(bench) as site:
        rounds = 1 if bench.quick else ROUNDS
        _add(table, endurance(site, a_second=A_SECOND, rounds=rounds))
    return table


def outages(bench: Bench) -> Table:
    messages, times = (300, 4) if bench.quick else (MESSAGES, OUTAGES)
    table = Table(
        f"The database is away {times} times for a moment, {MESSAGES_A_SECOND} messages a second",
        "MariaDB is frozen for 1.5 s, or killed for 0.5 s and started again, in turn; a verified "
        "account, half of the messages ask a model that thinks for 1.5 s. Nobody else dies, so "
        "every outcome of a send can be known.",
    )
    with _site(bench) as site:
        books = short_outages(site, messages=messages, outages=times, a_second=MESSAGES_A_SECOND)
        _add(table, books)
    return table


@contextlib.contextmanager
def _site(bench: Bench) -> Iterator[Site]:
    server = PrivateMariaDB(bench.folder / "endurance-db", durable=True)
    with Shop(webs=2, workers=2, mariadb=server, environment=SETTINGS) as shop:
        site = Site(shop, shop.folder / "nginx")
        try:
            yield site
        finally:
            site.nginx.stop()


def _add(table: Table, books: Books) -> None:
    for remark in books.remarks:
        say(f"  {remark}")
    table.add("messages", books.said)
    table.add("stored", books.stored)
    table.add("answered once", books.answered_once)
    table.add("answered twice", books.answered_twice, "", 0, 0)
    table.add("lost", books.lost, "", 0, 0)
    table.add("a ticket instead of an answer", books.tickets)
    table.add("died while it was sent, shown as unknown", books.unknown - books.falsely_unknown)
    table.add("shown as unknown although it could be known", books.falsely_unknown, "", 0, 0)
    table.add("told to send it again", books.refused, "", 0, 0)
    table.add("failure notices", books.notices, "", 0, books.excused)
    table.add("all three deliveries met a frozen web process, or too long an outage", books.excused)
    table.add("the database's longest absence", books.longest_away, "s")
