from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from llm import catalogue, gateway
from llm.errors import CallFailed, ModelsDown, NoModel
from llm.models import LanguageModel, ModelCall, Outcome
from llm.turns import ChatTurn
from tests.clock import Clock
from tests.llm.builders import row_for
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ASK = (ChatTurn("system", "你是客服。"), ChatTurn("user", "怎么退货？"))


def test_it_returns_the_streamed_answer_with_its_tokens(first: ModelServer) -> None:
    row = row_for(first)
    completion = gateway.complete(ASK, session_id="s1")
    assert completion.text == "第一个模型的回答。"
    assert completion.calls == ()
    assert (completion.model_name, completion.language_model_id) == ("first-chat", row.pk)
    assert (completion.prompt_tokens, completion.completion_tokens) == (
        len("你是客服。\n怎么退货？"),
        7,
    )


def test_it_sends_what_the_row_says_and_the_session(first: ModelServer) -> None:
    row_for(first, temperature=0.3, max_tokens=77)
    gateway.complete(ASK, session_id="s1")
    (asked,) = first.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer sk-very-secret"
    assert asked.body["messages"][1] == {"role": "user", "content": "怎么退货？"}
    sent = {
        name: asked.body[name] for name in ("model", "stream", "temperature", "max_tokens", "user")
    }
    assert sent == {
        "model": "first-chat",
        "stream": True,
        "temperature": 0.3,
        "max_tokens": 77,
        "user": "s1",
    }


def test_it_sends_no_header_without_a_key(first: ModelServer) -> None:
    row_for(first, api_key="")
    gateway.complete(ASK, session_id="s1")
    assert "authorization" not in first.asked[0].headers


def test_it_asks_in_order_of_position_and_only_enabled_models(
    first: ModelServer, second: ModelServer
) -> None:
    row_for(first, "off", position=0, enabled=False)
    row_for(second, "b", position=1)
    row_for(first, "c", position=2)
    assert gateway.complete(ASK, session_id="").text == "第二个模型的回答。"
    assert first.calls == 0


def test_it_raises_no_model_when_none_is_configured() -> None:
    assert not gateway.is_configured()
    with pytest.raises(NoModel):
        gateway.complete(ASK, session_id="")


def test_it_knows_a_new_model_at_once_where_it_was_saved(first: ModelServer) -> None:
    assert not gateway.is_configured()
    row_for(first)
    assert gateway.is_configured()


def test_it_reads_the_rows_once_in_a_while_only(
    first: ModelServer, django_assert_num_queries: Any
) -> None:
    row_for(first)
    catalogue.enabled()
    with django_assert_num_queries(0):
        assert gateway.is_configured()


def test_it_refuses_inside_a_transaction(first: ModelServer) -> None:
    row_for(first)
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        gateway.complete(ASK, session_id="")
    assert first.calls == 0


def test_it_gives_the_connection_back_before_it_asks(
    first: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    row_for(first)
    gateway.is_configured()
    closed: list[int] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(first.calls))
    gateway.complete(ASK, session_id="")
    assert closed == [0]


def test_it_writes_one_row_for_a_call(first: ModelServer) -> None:
    row = row_for(first)
    gateway.complete(ASK, session_id="s1", key="message:1")
    call = ModelCall.objects.get()
    assert (call.language_model, call.model, call.key) == (row, "first-chat", "message:1")
    assert (call.outcome, call.error) == (Outcome.OK, "")
    assert (call.prompt_tokens, call.completion_tokens) == (len("你是客服。\n怎么退货？"), 7)
    assert call.first_token_ms is not None
    assert call.total_ms is not None
    assert 0 <= call.first_token_ms <= call.total_ms


def test_it_does_not_lose_an_answer_that_cannot_be_logged(
    first: ModelServer, caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    row_for(first)
    catalogue.enabled()
    LanguageModel.objects.all().delete()  # Its row can no longer be referred to.
    assert gateway.complete(ASK, session_id="s1").text == "第一个模型的回答。"
    assert ModelCall.objects.count() == 0
    assert "first-chat" in caplog.text


def test_it_goes_on_with_the_known_models_when_the_database_is_away(
    first: ModelServer, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    row_for(first)
    catalogue.enabled()
    clock.now += catalogue.KEEP_SECONDS

    def away() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(catalogue.models, "load", away)
    assert gateway.complete(ASK, session_id="").text == "第一个模型的回答。"


def test_it_carries_many_calls_at_once_over_few_connections(first: ModelServer) -> None:
    row_for(first, first_token_timeout=20, total_timeout=20)
    texts: list[str] = []

    def ask() -> None:
        texts.append(gateway.complete(ASK, session_id="").text)
        connection.close()

    for _ in range(3):
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert texts == ["第一个模型的回答。"] * 60
    assert ModelCall.objects.filter(outcome=Outcome.OK).count() == 60
    assert first.connections <= 20


def test_it_uses_a_connection_again(first: ModelServer) -> None:
    row_for(first)
    for _ in range(5):
        gateway.complete(ASK, session_id="")
    assert first.connections == 1


def test_it_names_every_model_that_failed(first: ModelServer, second: ModelServer) -> None:
    row_for(first, "a", position=1)
    row_for(second, "b", position=2)
    first.behave(otherwise="500")
    second.behave(otherwise="html")
    with pytest.raises(ModelsDown, match=r"a: HTTP 500.*; b: neither a stream"):
        gateway.complete(ASK, session_id="")
    assert list(ModelCall.objects.order_by("pk").values_list("model", "outcome")) == [
        ("a-chat", Outcome.FAILED),
        ("b-chat", Outcome.NONSENSE),
    ]


@pytest.mark.parametrize("fault", ["page 404", "page 502"])
def test_it_repeats_nothing_of_an_error_page(first: ModelServer, fault: str) -> None:
    """The address may lead to a server that is none of the provider's."""
    first.behave(fault)
    with pytest.raises(CallFailed) as failed:
        gateway.try_model(row_for(first))
    assert str(failed.value) == f"HTTP {fault.removeprefix('page ')}"


def test_it_repeats_two_hundred_characters_of_an_error(first: ModelServer) -> None:
    first.behave("long error")
    with pytest.raises(CallFailed) as failed:
        gateway.try_model(row_for(first))
    assert str(failed.value).startswith("HTTP 500: too long")
    assert len(str(failed.value)) <= 200


def test_no_part_of_the_key_is_left_where_an_error_is_cut_off(first: ModelServer) -> None:
    key = "sk-very-secret-and-long-as-real-ones-are"
    row_for(first, api_key=key)
    first.behave("key at the cut")
    with pytest.raises(ModelsDown) as raised:
        gateway.complete(ASK, session_id="s")
    for told in (str(raised.value), ModelCall.objects.get().error):
        assert "HTTP 401" in told
        assert key[:6] not in told
