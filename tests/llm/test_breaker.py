from __future__ import annotations

import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from common.redis import redis
from llm import breaker as breaker_module
from llm import gateway
from llm.breaker import Breaker
from llm.errors import BreakerOpen, ModelsDown
from llm.models import ModelCall, Outcome
from llm.turns import ChatTurn
from tests.llm.builders import row_for
from tests.worlds.model_server import ModelServer

ASK = (ChatTurn("user", "怎么退货？"),)


def opened(*, failures: int = 3, pause: float = 60) -> Breaker:
    breaker = Breaker(failures=failures, pause=pause)
    for _ in range(failures):
        breaker.check(1)
        breaker.note_failure(1)
    return breaker


def is_open(breaker: Breaker, model_id: int = 1) -> bool:
    try:
        breaker.check(model_id)
    except BreakerOpen:
        return True
    return False


def end_pause() -> None:
    redis().delete("llm:pause:1")


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = Breaker(failures=3, pause=60)
    for _ in range(2):
        breaker.note_failure(1)
        assert not is_open(breaker)
    breaker.note_failure(1)
    assert is_open(breaker)


def test_it_forgets_failures_after_a_success() -> None:
    breaker = Breaker(failures=3, pause=60)
    breaker.note_failure(1)
    breaker.note_failure(1)
    breaker.note_success(1)
    breaker.note_failure(1)
    assert not is_open(breaker)


def test_it_is_apart_for_each_model() -> None:
    assert not is_open(opened(), model_id=2)


def test_it_is_known_to_other_processes() -> None:
    opened()
    assert is_open(Breaker(failures=3))  # Nothing but Redis connects the two.


def test_it_lets_one_trial_through_after_its_pause() -> None:
    breaker = opened()
    end_pause()
    assert [is_open(breaker) for _ in range(3)] == [False, True, True]
    assert is_open(Breaker(failures=3))


def test_it_ends_its_pause_by_itself() -> None:
    breaker = opened(pause=0.3)
    assert is_open(breaker)
    while is_open(breaker):
        time.sleep(0.02)


def test_it_closes_after_a_trial_that_worked() -> None:
    breaker = opened()
    end_pause()
    breaker.check(1)
    breaker.note_success(1)
    assert [is_open(breaker) for _ in range(3)] == [False, False, False]
    assert redis().keys("llm:*") == []


def test_it_rests_again_after_a_trial_that_failed() -> None:
    breaker = opened()
    end_pause()
    breaker.check(1)
    breaker.note_failure(1)
    assert is_open(breaker)


def test_it_lets_another_trial_through_when_the_first_died() -> None:
    breaker = opened()
    end_pause()
    breaker.check(1)
    end_pause()
    assert not is_open(breaker)


def test_it_counts_as_closed_when_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = opened()
    tried: list[int] = []

    def away() -> None:
        tried.append(1)
        raise RedisConnectionError("away")

    monkeypatch.setattr(breaker_module, "redis", away)
    assert not is_open(breaker)
    breaker.note_failure(1)
    breaker.note_success(1)
    assert len(tried) == 1


@pytest.mark.django_db(transaction=True)
def test_it_spares_customers_a_model_that_fails(first: ModelServer, second: ModelServer) -> None:
    row_for(first, "a", position=1)
    row_for(second, "b", position=2)
    first.behave(otherwise="500")
    for _ in range(7):
        assert gateway.complete(ASK, session_id="").text == "第二个模型的回答。"
    assert first.calls == 5
    assert ModelCall.objects.filter(model="a-chat", outcome=Outcome.OPEN).count() == 2


@pytest.mark.django_db(transaction=True)
def test_it_says_down_when_all_models_rest(first: ModelServer) -> None:
    row_for(first)
    first.behave(otherwise="500")
    for _ in range(6):
        with pytest.raises(ModelsDown):
            gateway.complete(ASK, session_id="")
    assert first.calls == 5


@pytest.mark.django_db(transaction=True)
def test_it_does_not_count_a_parameter_that_an_endpoint_refuses(first: ModelServer) -> None:
    row_for(first)
    first.behave(otherwise="refuse usage")
    gateway.complete(ASK, session_id="")
    assert redis().keys("llm:failures:*") == []


@pytest.mark.django_db(transaction=True)
def test_it_does_not_count_what_one_customer_wrote(first: ModelServer) -> None:
    """Endpoints answer 400 to texts that are too long or that their filter dislikes."""
    row_for(first)
    first.behave(otherwise="400")
    for _ in range(6):
        with pytest.raises(ModelsDown):
            gateway.complete(ASK, session_id="")
    first.behave(otherwise="answer")
    assert gateway.complete(ASK, session_id="").text == "第一个模型的回答。"
