"""The database goes away: nothing that was acknowledged is lost, and nothing is paid twice."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.services.mariadb import PrivateMariaDB
from tests.system.outage import IS_MARIADB, WAYS, outage
from tests.system.shop import FAQ_ANSWER, MODEL_ANSWER, QUESTION, SORRY, Kind, Phone, Shop

pytestmark = pytest.mark.system

Away = Callable[[], AbstractContextManager[None]]
in_every_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
def _shop() -> Iterator[Shop]:
    """With a server of its own on MariaDB, for the other tests need theirs."""
    with tempfile.TemporaryDirectory(prefix="wb-db-") as folder:
        server = PrivateMariaDB(Path(folder), durable=True) if IS_MARIADB else None
        with Shop(mariadb=server, environment={"HOLD_SECONDS": "2"}) as shop:
            yield shop


@pytest.fixture
def away(shop: Shop, way: str) -> Away:
    return lambda: outage(way, server=shop.mariadb, url=shop.database.url)


@in_every_way
def test_a_push_that_could_not_be_stored_is_stored_and_answered_by_the_next_delivery(
    shop: Shop, away: Away
) -> None:
    verified, unverified = shop.phone("verified", "oAway"), shop.phone("unverified", "oAwayToo")

    with ThreadPoolExecutor() as pool:
        with away():
            outcomes = [pool.submit(phone.say, QUESTION) for phone in (verified, unverified)]
            time.sleep(6)
        read = [outcome.result() for outcome in outcomes]

    for outcome, phone in zip(read, (verified, unverified), strict=True):
        assert outcome.deliveries[0].status is None
        assert len(outcome.deliveries) > 1
        assert not outcome.notice
        phone.wait_to_read(FAQ_ANSWER)
        assert phone.read == [FAQ_ANSWER]
        assert len(phone.messages) == 1


@in_every_way
def test_when_it_is_away_for_all_three_deliveries_the_customer_reads_a_sorry(
    shop: Shop, away: Away
) -> None:
    phones = [shop.phone("verified", "oSorry"), shop.phone("unverified", "oSorryToo")]
    follower = shop.phone("verified", "oReporter")
    place = follower.side.event(follower.openid, "LOCATION")

    with ThreadPoolExecutor() as pool, away():
        outcomes = [pool.submit(phone.say, "给我讲讲你们的历史") for phone in phones]
        silent = pool.submit(follower.push, place)
        read = [outcome.result() for outcome in outcomes]

    for outcome in read:
        assert [delivery.status for delivery in outcome.deliveries] == [None, None, 200]
        assert outcome.text == SORRY
    # Who only moved did not ask: no word to them, and no failure notice either.
    assert silent.result().acknowledged
    for phone in phones:
        shop.wait_until(
            lambda phone=phone: phone.say(QUESTION).text == FAQ_ANSWER, 60, "it goes on afterwards"
        )
        # Told to send it again, and so not stored behind the customer's back.
        assert {message.text for message in phone.messages} == {QUESTION}


@in_every_way
def test_an_answer_that_was_paid_for_is_written_when_it_is_back(shop: Shop, away: Away) -> None:
    shop.model.behave(otherwise="when told")
    verified, unverified = shop.phone("verified", "oPaid"), shop.phone("unverified", "oPaidToo")
    pushes = [
        phone.side.text(phone.openid, "给我讲讲你们的历史") for phone in (verified, unverified)
    ]

    with ThreadPoolExecutor() as pool:
        outcomes = [
            pool.submit(phone.push, push)
            for phone, push in zip((verified, unverified), pushes, strict=True)
        ]
        shop.wait_until(lambda: shop.model.calls == 2, what="the model thinks")
        with away():
            shop.model.manner.may_speak.set()
            time.sleep(3)
        assert not any(outcome.result().notice for outcome in outcomes)

    verified.wait_to_read(MODEL_ANSWER)
    shop.wait_until(lambda: unverified.replies, 30, "the answer is written")
    unverified.tap_until(lambda: MODEL_ANSWER in unverified.read)
    assert [phone.read.count(MODEL_ANSWER) for phone in (verified, unverified)] == [1, 1]
    assert shop.model.calls == 2


@in_every_way
def test_nothing_acknowledged_is_lost_while_messages_keep_coming(shop: Shop, away: Away) -> None:
    kinds: list[Kind] = ["verified", "verified", "unverified"]
    phones = [shop.phone(kinds[number % 3], f"oStream{number}") for number in range(24)]

    with ThreadPoolExecutor(24) as pool:
        outcomes = [
            pool.submit(_after, number * 0.25, phone) for number, phone in enumerate(phones)
        ]
        time.sleep(1.5)
        with away():
            time.sleep(3)
        assert not any(outcome.result().notice for outcome in outcomes)

    for phone in phones:
        shop.wait_until(lambda phone=phone: phone.replies, 60, f"{phone.openid} has an answer")
        if phone.side.path == "/wechat":
            phone.wait_to_read(MODEL_ANSWER, 60)
        else:
            phone.tap_until(lambda phone=phone: MODEL_ANSWER in phone.read)
    assert [phone.read.count(MODEL_ANSWER) for phone in phones] == [1] * 24


def _after(seconds: float, phone: Phone) -> object:
    time.sleep(seconds)
    return phone.say(f"我是第{phone.openid[7:]}位客户，给我讲讲你们的历史")
