"""Everything dies or hangs in turn while customers write: all are answered, once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.mariadb import PrivateMariaDB
from tests.system.endurance import short_endurance, short_outages
from tests.system.shop import Shop
from tests.system.site import Site

pytestmark = [
    pytest.mark.system,
    pytest.mark.mariadb,
    pytest.mark.nginx,
    pytest.mark.once,
    pytest.mark.timeout(600),
]

MESSAGES_A_SECOND = 5


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="wb-db-") as folder:
        server = PrivateMariaDB(Path(folder), durable=True)
        with Shop(webs=2, workers=2, mariadb=server, environment={"HOLD_SECONDS": "1"}) as shop:
            site = Site(shop, shop.folder / "nginx")
            yield site
            site.nginx.stop()


def test_everything_that_came_in_is_answered_once(site: Site) -> None:
    before = [process.pid for process in site.shop.processes]
    books = short_endurance(site, a_second=MESSAGES_A_SECOND)

    told = "\n".join(books.remarks)
    assert books.faults == {}, f"{books}\n{told}\n{site.shop.words()}"
    given_otherwise = books.tickets + books.unknown + books.excused
    assert books.answered_once >= books.said - given_otherwise > 100, told
    after = [process.pid for process in site.shop.processes]
    assert set(before).isdisjoint(after)


def test_every_outcome_is_known_where_only_the_database_goes_away(site: Site) -> None:
    """Frozen and killed in turn, for a moment each, while texts are under way."""
    books = short_outages(site, messages=150, outages=4, a_second=10)

    told = "\n".join(books.remarks)
    assert books.faults == {}, f"{books}\n{told}\n{site.shop.words()}"
    assert books.unknown == 0, told
    assert books.answered_once == books.said - books.tickets, told
