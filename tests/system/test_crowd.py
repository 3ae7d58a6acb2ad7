"""Many answers at once on few database connections."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.services.mariadb import PrivateMariaDB
from tests.system.shop import MODEL_ANSWER, Shop

pytestmark = [pytest.mark.system, pytest.mark.mariadb]

CUSTOMERS = 200


@pytest.fixture(scope="module")
def _shop() -> Iterator[Shop]:
    changes = {"HOLD_SECONDS": "0", "WORKER_THREADS": "300"}
    with tempfile.TemporaryDirectory(prefix="wb-db-") as folder:
        server = PrivateMariaDB(Path(folder), max_connections=60)
        with Shop(mariadb=server, environment=changes) as shop:
            yield shop


def test_two_hundred_answers_in_flight_need_no_more_than_sixty_connections(shop: Shop) -> None:
    shop.model.behave(otherwise="when told")
    phones = [shop.phone("verified", f"oCrowd{number}") for number in range(CUSTOMERS)]

    with ThreadPoolExecutor(40) as pool:
        outcomes = list(pool.map(lambda phone: phone.say("给我讲讲你们的历史"), phones))
    assert all(outcome.acknowledged for outcome in outcomes)
    shop.wait_until(lambda: shop.model.in_flight == CUSTOMERS, 60, "all are in flight")
    used = int(shop.rows("SHOW STATUS LIKE 'Max_used_connections'")[0][1])
    shop.model.manner.may_speak.set()
    shop.wait_until(lambda: len(shop.wechat.sent) >= CUSTOMERS, 60, "all are answered")

    assert [phone.read for phone in phones] == [[MODEL_ANSWER]] * CUSTOMERS
    assert shop.model.calls == CUSTOMERS
    assert shop.rows("SELECT DISTINCT state FROM conversations_message") == [("answered",)]
    assert used < 60
