"""Calls of models, as they are counted."""

from __future__ import annotations

import pytest

from llm import gateway
from llm.errors import ModelsDown
from llm.turns import ChatTurn
from tests.counting import counted
from tests.llm.builders import row_for
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ASK = (ChatTurn("user", "怎么退货？"),)


def test_a_call_counts_with_its_time_and_its_tokens(first: ModelServer) -> None:
    row_for(first, "counted")
    gateway.complete(ASK, session_id="")
    assert counted("model_calls_total", model="counted", outcome="ok") == 1
    assert counted("model_call_seconds_count", model="counted") == 1
    assert counted("model_call_seconds_sum", model="counted") > 0
    assert counted("model_tokens_total", model="counted", direction="prompt") == len(ASK[0].content)
    assert counted("model_tokens_total", model="counted", direction="completion") == 7


def test_a_failed_call_counts_by_how_it_failed(first: ModelServer) -> None:
    row_for(first, "failing")
    first.behave("500")
    with pytest.raises(ModelsDown):
        gateway.complete(ASK, session_id="")
    assert counted("model_calls_total", model="failing", outcome="failed") == 1
    assert counted("model_call_seconds_count", model="failing") == 0
