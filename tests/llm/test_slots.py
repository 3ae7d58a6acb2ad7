from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from common.redis import redis
from llm import gateway, slots
from llm.errors import ModelsBusy, ModelsDown
from llm.models import LanguageModel, ModelCall, Outcome
from llm.turns import ChatTurn
from tests.llm.builders import row_for
from tests.services.process import wait_until
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
ASK = (ChatTurn("user", "怎么退货？"),)

HOLDER = """
import sys, time
import django
django.setup()
from llm import slots
from llm.models import LanguageModel
with slots.slot(LanguageModel(pk=int(sys.argv[1]), max_in_flight=1)):
    print("holds", flush=True)
    time.sleep(600)
"""


@contextmanager
def another_process_holding(row: LanguageModel) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(row.pk)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline().strip() == "holds"
        yield other
        other.kill()


def test_it_asks_the_next_model_when_the_first_has_no_slot(
    first: ModelServer, second: ModelServer
) -> None:
    row = row_for(first, "a", position=1, max_in_flight=1)
    row_for(second, "b", position=2)
    with slots.slot(row):
        answer = gateway.complete(ASK, session_id="s", key="message:1")
        assert answer.text == "第二个模型的回答。"
    assert first.calls == 0
    busy = ModelCall.objects.get(model="a-chat")
    assert (busy.outcome, busy.key, busy.first_token_ms) == (Outcome.BUSY, "message:1", None)
    assert gateway.complete(ASK, session_id="s").text == "第一个模型的回答。"


def test_it_says_busy_at_once_when_no_model_has_a_slot(first: ModelServer) -> None:
    row = row_for(first, max_in_flight=1)
    with slots.slot(row), pytest.raises(ModelsBusy):
        gateway.complete(ASK, session_id="")
    assert first.calls == 0
    assert ModelCall.objects.get().outcome == Outcome.BUSY


def test_it_gives_its_slot_back_after_an_answer_and_after_a_failure(first: ModelServer) -> None:
    row_for(first, max_in_flight=1)
    first.behave("answer", "500", "answer")
    gateway.complete(ASK, session_id="")
    with pytest.raises(ModelsDown):
        gateway.complete(ASK, session_id="")
    assert gateway.complete(ASK, session_id="").text == "第一个模型的回答。"


def test_it_says_down_when_one_was_busy_and_another_failed(
    first: ModelServer, second: ModelServer
) -> None:
    row = row_for(first, "a", position=1, max_in_flight=1)
    row_for(second, "b", position=2)
    second.behave("500")
    with slots.slot(row), pytest.raises(ModelsDown):
        gateway.complete(ASK, session_id="")


def test_it_counts_the_calls_of_other_processes(first: ModelServer) -> None:
    row = row_for(first, max_in_flight=1)
    with another_process_holding(row), pytest.raises(ModelsBusy):
        gateway.complete(ASK, session_id="")


def test_a_killed_process_gives_its_slot_back_within_half_a_minute(first: ModelServer) -> None:
    """Redis knows when: the test looks, and then lets those seconds pass by moving the end of the
    lease.
    """
    row = row_for(first, max_in_flight=1)
    with another_process_holding(row) as other:
        other.kill()
        other.wait()
    ((lease, ends_at),) = redis().zrange(f"llm:slots:{row.pk}", 0, -1, withscores=True)
    seconds, microseconds = redis().time()
    left = ends_at / 1000 - (seconds + microseconds / 1_000_000)
    assert left <= 25

    with pytest.raises(ModelsBusy):
        gateway.complete(ASK, session_id="")
    redis().zincrby(f"llm:slots:{row.pk}", -25_000, lease)
    assert gateway.complete(ASK, session_id="").text == "第一个模型的回答。"


def test_it_keeps_threads_free_of_models(first: ModelServer, settings: Settings) -> None:
    """However many slots the models have, a worker's other threads are left to the rest of the
    work.
    """
    settings.WORKER_THREADS = 4
    assert slots.slots_in_a_process() == 2
    row_for(first, "a", first_token_timeout=20, total_timeout=20, max_in_flight=100)
    row_for(first, "b", first_token_timeout=20, total_timeout=20, max_in_flight=100)
    first.manner.seconds = 0.5
    outcomes: list[str] = []

    def ask() -> None:
        try:
            outcomes.append(gateway.complete(ASK, session_id="").text)
        except ModelsBusy:
            outcomes.append("busy")
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: first.in_flight == 2, what="both slots are taken")
    ask()
    for thread in threads:
        thread.join()
    assert outcomes == ["busy", "第一个模型的回答。", "第一个模型的回答。"]
    assert ModelCall.objects.filter(outcome=Outcome.BUSY).count() == 2


@pytest.mark.parametrize(
    ("threads", "slots_left"), [(300, 250), (100, 50), (60, 30), (20, 10), (1, 1)]
)
def test_it_leaves_fifty_threads_or_half_of_a_small_worker(
    settings: Settings, threads: int, slots_left: int
) -> None:
    settings.WORKER_THREADS = threads
    assert slots.slots_in_a_process() == slots_left
