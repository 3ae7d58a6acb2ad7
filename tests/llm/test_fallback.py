"""Whatever the first model does wrong, the second one answers."""

from __future__ import annotations

import logging
import socket

import pytest

from llm import gateway
from llm.models import LanguageModel, ModelCall, Outcome
from llm.turns import ChatTurn
from tests.llm.builders import row_for
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ASK = (ChatTurn("user", "怎么退货？"),)

FAULTS = [
    ("hang", Outcome.TIMEOUT),
    ("hang in stream", Outcome.TIMEOUT),
    ("drip headers", Outcome.TIMEOUT),
    ("drip chunk size", Outcome.TIMEOUT),
    ("drip body", Outcome.TIMEOUT),
    ("drip comments", Outcome.TIMEOUT),
    ("429", Outcome.RATE_LIMITED),
    ("500", Outcome.FAILED),
    ("503", Outcome.FAILED),
    ("error in stream", Outcome.FAILED),
    ("close at once", Outcome.FAILED),
    ("cut", Outcome.BROKEN),
    ("unfinished", Outcome.BROKEN),
    ("html", Outcome.NONSENSE),
    ("no choices", Outcome.NONSENSE),
    ("empty choices completion", Outcome.NONSENSE),
    ("empty text", Outcome.NONSENSE),
    ("not json", Outcome.NONSENSE),
    ("strange shape", Outcome.NONSENSE),
    ("number for text", Outcome.NONSENSE),
    ("number for arguments", Outcome.NONSENSE),
    ("huge", Outcome.NONSENSE),
    ("redirect", Outcome.REFUSED),
    ("400", Outcome.REFUSED),
    ("401", Outcome.REFUSED),
    ("403", Outcome.REFUSED),
    ("404", Outcome.REFUSED),
]


def test_it_leaves_a_stream_that_stalls_long_before_its_whole_time_is_over(
    first: ModelServer, second: ModelServer
) -> None:
    patient = {"first_token_timeout": 20, "total_timeout": 3600}
    row_for(first, "a", position=1, between_tokens_timeout=0.3, **patient)
    row_for(second, "b", position=2, **patient)
    first.manner.seconds = 3600
    first.behave("stall")
    assert gateway.complete(ASK, session_id="s").text == "第二个模型的回答。"
    assert ModelCall.objects.get(model="a-chat").outcome == Outcome.TIMEOUT


def test_it_waits_for_each_token_anew(first: ModelServer) -> None:
    row_for(first, first_token_timeout=20, between_tokens_timeout=20, total_timeout=3600)
    first.manner.seconds = 0.2
    first.behave("stall")
    assert gateway.complete(ASK, session_id="s").text == "您好，第一个模型的回答。"


def test_a_new_model_waits_eight_seconds_for_its_first_token_and_ten_between_two() -> None:
    row = LanguageModel.objects.create(name="new", base_url="https://x.cn/v1", model="m")
    row.refresh_from_db()
    assert (row.first_token_timeout, row.between_tokens_timeout) == (8, 10)


@pytest.mark.parametrize(("fault", "outcome"), FAULTS)
def test_it_falls_over_to_the_next_model(
    first: ModelServer, second: ModelServer, fault: str, outcome: Outcome
) -> None:
    row_for(first, "a", position=1)
    row_for(second, "b", position=2, first_token_timeout=20, total_timeout=20)
    first.behave(otherwise=fault)
    assert gateway.complete(ASK, session_id="s").text == "第二个模型的回答。"
    failed, answered = ModelCall.objects.filter(outcome__in=[outcome, Outcome.OK]).order_by("-pk")[
        :2
    ][::-1]
    assert (failed.model, failed.outcome, answered.model) == ("a-chat", outcome, "b-chat")
    assert failed.error
    assert second.calls == 1


@pytest.mark.parametrize("fault", [fault for fault, _ in FAULTS if fault != "400"])
def test_it_never_asks_the_same_model_twice(
    first: ModelServer, second: ModelServer, fault: str
) -> None:
    row_for(first, "a", position=1)
    row_for(second, "b", position=2, first_token_timeout=20, total_timeout=20)
    first.behave(otherwise=fault)
    gateway.complete(ASK, session_id="s")
    assert first.calls == 1


def test_it_falls_over_when_nobody_listens(second: ModelServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        LanguageModel.objects.create(
            name="a", base_url=f"http://127.0.0.1:{unused.getsockname()[1]}", position=1
        )
        row_for(second, "b")
        assert gateway.complete(ASK, session_id="").text == "第二个模型的回答。"
    assert ModelCall.objects.get(language_model__name="a").outcome == Outcome.FAILED


def test_it_falls_over_when_the_other_side_takes_no_connection(second: ModelServer) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [
            socket.socket() for _ in range(3)
        ]  # They fill the queue of the listener, so that a further one waits.
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        row = LanguageModel(
            name="a", base_url=f"http://127.0.0.1:{address[1]}", position=1, connect_timeout=0.2
        )
        row.save()
        row_for(second, "b")
        assert gateway.complete(ASK, session_id="").text == "第二个模型的回答。"
        for one in waiting:
            one.close()
    assert ModelCall.objects.get(language_model__name="a").outcome == Outcome.TIMEOUT


def test_it_falls_over_when_the_address_is_none(second: ModelServer) -> None:
    LanguageModel.objects.create(name="a", base_url="http://[oops", position=1)
    row_for(second, "b")
    assert gateway.complete(ASK, session_id="").text == "第二个模型的回答。"
    assert ModelCall.objects.get(language_model__name="a").outcome == Outcome.REFUSED


def test_it_reads_one_ordinary_completion_in_answer_to_a_stream_request(first: ModelServer) -> None:
    row_for(first)
    first.behave("completion")
    completion = gateway.complete(ASK, session_id="")
    assert (completion.text, completion.completion_tokens) == ("第一个模型的回答。", 7)


def test_it_waits_for_the_first_token_longer_than_the_rest_allows_only_if_told(
    first: ModelServer,
) -> None:
    first.manner.seconds = 0.5
    first.behave("slow first token", "slow first token")
    row_for(first, first_token_timeout=10, total_timeout=20)
    assert gateway.complete(ASK, session_id="").text == "第一个模型的回答。"
    LanguageModel.objects.update(first_token_timeout=0.1)
    row = LanguageModel.objects.get()
    with pytest.raises(gateway.CallFailed, match="time-out"):
        gateway.try_model(row)


def test_it_takes_an_answer_whose_stream_is_complete_but_never_closed(first: ModelServer) -> None:
    row_for(first, first_token_timeout=20, total_timeout=20)
    first.behave("hang after answer")
    assert gateway.complete(ASK, session_id="").text == "第一个模型的回答。"


def test_it_logs_a_refusal_as_an_error_that_needs_somebody(
    first: ModelServer, second: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    row_for(first, "a", position=1)
    row_for(second, "b", position=2)
    first.behave("401")
    gateway.complete(ASK, session_id="")
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "model a: refused" in line.getMessage()
    assert "HTTP 401" in line.getMessage()
