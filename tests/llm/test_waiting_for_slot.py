"""Where all slots are taken, a few may wait a moment for one: after an outage
many come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from llm import gateway, slots
from llm.errors import ModelsBusy
from llm.models import ModelCall, Outcome
from llm.turns import ChatTurn
from tests.llm.builders import row_for
from tests.services.process import wait_until
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

LONG = 20.0
Ask = Callable[[], Future[str]]


@pytest.fixture(autouse=True)
def _small_worker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls at a time, and one more may wait."""
    settings.WORKER_THREADS = 4
    assert slots.slots_in_a_process() == 2
    monkeypatch.setattr(slots, "_LOOK_AGAIN_SECONDS", 0.01)
    assert slots.waiting_places() == 1


@pytest.fixture
def ask() -> Iterator[Ask]:
    """A customer's question, in a thread of its own."""

    def complete() -> str:
        try:
            return gateway.complete(
                (ChatTurn("user", "您好"),), session_id="", wait_for_slot=LONG
            ).text
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        yield lambda: pool.submit(complete)


def test_it_answers_when_a_slot_comes_free(first: ModelServer, ask: Ask) -> None:
    row = row_for(first, max_in_flight=1)
    with slots.slot(row):
        waiting = ask()
        wait_until(lambda: slots._waiting, what="it waits for a slot")
    assert waiting.result(LONG) == "第一个模型的回答。"
    assert [call.outcome for call in ModelCall.objects.all()] == [Outcome.OK]


def test_it_answers_when_a_place_in_the_process_comes_free(first: ModelServer, ask: Ask) -> None:
    row_for(first)
    with slots.place_in_this_process():
        with slots.place_in_this_process():
            waiting = ask()
            wait_until(lambda: slots._waiting, what="it waits for a slot")
        assert waiting.result(LONG) == "第一个模型的回答。"


def test_it_lets_no_more_wait_than_threads_are_spare(first: ModelServer, ask: Ask) -> None:
    row_for(first)
    with slots.place_in_this_process(), slots.place_in_this_process():
        waiting = ask()
        wait_until(lambda: slots._waiting, what="it waits for a slot")
        with pytest.raises(ModelsBusy):
            ask().result(LONG)
        assert not waiting.done()
    assert waiting.result(LONG) == "第一个模型的回答。"


def test_it_says_busy_when_the_wait_was_in_vain(first: ModelServer) -> None:
    row = row_for(first, max_in_flight=1)
    with slots.slot(row), pytest.raises(ModelsBusy):
        gateway.complete((ChatTurn("user", "您好"),), session_id="", wait_for_slot=0.05)
    with slots.place_in_this_process(), slots.place_in_this_process(), pytest.raises(ModelsBusy):
        gateway.complete((ChatTurn("user", "您好"),), session_id="", wait_for_slot=0.05)
    assert (slots._waiting, slots._under_way) == (0, 0)
    assert [call.outcome for call in ModelCall.objects.all()] == [Outcome.BUSY] * 2
    assert first.calls == 0
