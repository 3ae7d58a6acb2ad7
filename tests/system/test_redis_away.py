"""Redis dies, comes back, comes back empty: pushes are stored all the same, and answered."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.exceptions import OutOfMemoryError

from tests.system.shop import FAQ_ANSWER, MODEL_ANSWER, QUESTION, Shop

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def _shop() -> Iterator[Shop]:
    """Its own: it takes Celery a while to be itself again."""
    with Shop(environment={"HOLD_SECONDS": "2"}) as shop:
        yield shop


def test_what_comes_while_redis_is_away_is_stored_and_answered_when_it_is_back(shop: Shop) -> None:
    verified, unverified = (
        shop.phone("verified", "oRedisAway"),
        shop.phone("unverified", "oRedisAwayToo"),
    )
    faqs = [shop.phone("verified", "oFaq"), shop.phone("unverified", "oFaqToo")]
    shop.redis.kill()

    with ThreadPoolExecutor() as pool:
        acknowledged = pool.submit(verified.say, "给我讲讲你们的历史")
        waits = pool.submit(unverified.say, "给我讲讲你们的未来")
        answered = [pool.submit(phone.say, QUESTION) for phone in faqs]
        assert acknowledged.result().acknowledged
        assert len(acknowledged.result().deliveries) == 1
        assert [one.result().text for one in answered] == [FAQ_ANSWER, FAQ_ANSWER]
        shop.wait_until(
            lambda: unverified.message.deliveries == 2,
            what="the unverified account's push comes again",
        )
        assert shop.model.calls == 0
        shop.redis.start()
        outcome = waits.result()

    assert outcome.deliveries[0].status is None
    assert not outcome.notice
    verified.wait_to_read(MODEL_ANSWER, 60)
    shop.wait_until(lambda: unverified.replies, 60, "the unverified account's answer is written")
    unverified.tap_until(lambda: MODEL_ANSWER in unverified.read)
    assert verified.read == [MODEL_ANSWER]
    assert unverified.read.count(MODEL_ANSWER) == 1
    assert shop.model.calls == 2


def test_a_redis_that_takes_no_more_is_a_redis_that_is_away(shop: Shop) -> None:
    """At `maxmemory` it refuses every write: pushes are stored, and answered by what needs no
    model.
    """
    shop.redis.client.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(OutOfMemoryError):
            shop.redis.client.set("one-more", "word")
        faqs = [
            shop.phone("verified", "oFull").say(QUESTION),
            shop.phone("unverified", "oFullToo").say(QUESTION),
        ]
        thinking = shop.phone("verified", "oFullThinks")
        acknowledged = thinking.say("给我讲讲你们的现在")
    finally:
        shop.redis.client.config_set("maxmemory", "0")

    assert [outcome.text for outcome in faqs] == [FAQ_ANSWER, FAQ_ANSWER]
    assert not acknowledged.notice
    assert len(acknowledged.deliveries) == 1
    thinking.wait_to_read(MODEL_ANSWER, 60)
    assert thinking.read == [MODEL_ANSWER]
    assert shop.model.calls == 1


def test_an_emptied_redis_loses_neither_messages_nor_sessions(shop: Shop) -> None:
    phone = shop.phone("verified", "oEmptied")
    assert phone.say("你们卖雨伞吗，有哪些颜色").text == MODEL_ANSWER
    shop.model.behave("when told")
    thinking = phone.side.text(phone.openid, "蓝色的还有吗")

    with ThreadPoolExecutor() as pool:
        outcome = pool.submit(phone.push, thinking)
        shop.wait_until(lambda: shop.model.calls == 2, what="the model thinks")
        shop.redis.empty()
        assert outcome.result().acknowledged
    shop.model.manner.may_speak.set()
    shop.wait_until(lambda: phone.read.count(MODEL_ANSWER) == 2, what="the second answer")
    shop.redis.empty()
    assert phone.say("那红色的呢").text == MODEL_ANSWER

    said = [turn["content"] for turn in shop.model.asked[-1].body["messages"][1:]]
    assert said == [
        "你们卖雨伞吗，有哪些颜色",
        MODEL_ANSWER,
        "蓝色的还有吗",
        MODEL_ANSWER,
        "那红色的呢",
    ]
    assert shop.model.calls == 3


def test_a_restarted_redis_finds_everybody_again(shop: Shop) -> None:
    """Worker, sweep, wakes and heart-beat: without a restart of any of our processes."""
    shop.redis.kill()
    shop.redis.start()
    shop.wait_until_ready()
    shop.model.manner.seconds = 0.5
    phones = [shop.phone("verified", f"oAfter{number}") for number in range(5)]

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda phone: phone.say("给我讲讲你们的历史"), phones))
    for phone in phones:
        phone.wait_to_read(MODEL_ANSWER, 60)

    assert [phone.read for phone in phones] == [[MODEL_ANSWER]] * 5
    assert all(process.is_running for process in shop.processes)
