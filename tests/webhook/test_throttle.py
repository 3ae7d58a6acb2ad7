"""The limit per customer and minute: a number for each message; no limit where Redis is away."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from common.redis import redis, resume
from tests.knowledge.builders import absent_redis
from webhook import script
from webhook.throttle import UNLIMITED, Counted, counts


@pytest.fixture(autouse=True)
def _limit_of_three(settings: Settings) -> None:
    settings.RATE_LIMIT_PER_MINUTE = 3


def numbers(*keys: str, openid: str = "oA", account_id: int = 1) -> list[int]:
    return [count.number for count in counts([Counted(account_id, openid, key) for key in keys])]


def test_it_counts_a_customers_messages_in_the_order_they_come() -> None:
    assert numbers("a", "b") == [1, 2]
    assert numbers("c") == [3]


def test_it_counts_customers_and_accounts_apart() -> None:
    numbers("a", "b")
    assert numbers("a", openid="oB") == [1]
    assert numbers("a", account_id=2) == [1]


def test_a_repeat_keeps_its_place() -> None:
    numbers("a", "b", "c", "d")
    assert numbers("b", "d", "a") == [2, 4, 1]


def test_it_names_the_first_too_many_and_those_behind() -> None:
    found = counts([Counted(1, "oA", key) for key in "abcde"])
    assert [count.is_too_many for count in found] == [False, False, False, True, True]
    assert [count.is_first_too_many for count in found] == [False, False, False, True, False]


def test_a_flooder_costs_no_more_memory_than_the_limit() -> None:
    numbers(*(f"key-{number}" for number in range(50)))
    assert redis().zcard("rate:1:oA") == 4


def test_a_minute_begins_with_the_first_message() -> None:
    numbers("a")
    redis().expire("rate:1:oA", 20)
    [count] = counts([Counted(1, "oA", "b")])
    assert 0 < count.seconds_left <= 20


def test_all_is_allowed_again_when_the_minute_is_over() -> None:
    numbers(*"abcde")
    redis().delete("rate:1:oA")
    assert numbers("f") == [1]


def test_a_batch_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    client = redis()

    class Counting:
        def eval(self, *arguments: object) -> object:
            calls.append(arguments)
            return client.eval(*arguments)

    monkeypatch.setattr(script, "redis", Counting)
    assert numbers(*"abc") == [1, 2, 3]
    assert len(calls) == 1


def test_there_is_no_limit_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "redis", absent_redis)
    assert counts([Counted(1, "oA", key) for key in "abcdefgh"]) == [UNLIMITED] * 8


def test_a_redis_that_is_away_is_left_alone_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away() -> object:
        asked.append(1)
        return absent_redis()

    monkeypatch.setattr(script, "redis", away)
    for key in "abc":
        counts([Counted(1, "oA", key)])
    assert len(asked) == 1
    resume()
    counts([Counted(1, "oA", "d")])
    assert len(asked) == 2


def test_nothing_is_asked_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "redis", lambda: pytest.fail("Redis was asked"))
    assert counts([]) == []
