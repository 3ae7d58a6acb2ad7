"""What was logged of one answer can be joined with its message, conversation and account."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assistant.models import AnswerLog
from conversations.turns.leases import Turn
from llm.models import ModelCall
from tests.factories import held_turn
from tests.faqs import RETURNS
from tests.llm.builders import row_for
from tests.webhook.turns import UNKNOWN
from tests.worlds.model_behaviours import Manner
from tests.worlds.model_server import ModelServer
from webhook import flow, tasks

# A model is asked outside of any transaction.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Iterator[ModelServer]:
    with ModelServer(Manner(answer="我们暂时不支持比特币。")) as server:
        row_for(server)
        yield server


def keys_of(turn: Turn) -> tuple[int, int, int]:
    return turn.account_id, turn.conversation.pk, turn.message.pk


def logged_keys() -> tuple[int | None, int | None, int | None]:
    entry = AnswerLog.objects.get()
    return entry.account_id, entry.conversation_id, entry.message_id


@pytest.mark.usefixtures("shop")
def test_an_answer_without_a_model_names_what_it_was_for() -> None:
    turn = held_turn(text=RETURNS[0])
    flow.reply(turn, model=None)
    assert logged_keys() == keys_of(turn)


@pytest.mark.usefixtures("shop")
def test_a_call_of_a_model_is_found_by_the_message_that_it_was_made_for(
    provider: ModelServer,
) -> None:
    turn = held_turn(text=UNKNOWN)
    flow.reply(turn, model=tasks._ask)
    assert logged_keys() == keys_of(turn)
    assert ModelCall.objects.get().key == f"message:{turn.message.pk}"


@pytest.mark.usefixtures("shop")
def test_the_hash_goes_to_the_provider_and_into_no_log(provider: ModelServer) -> None:
    turn = held_turn(text=UNKNOWN)
    flow.reply(turn, model=tasks._ask)
    [asked] = provider.asked
    assert asked.body["user"] == turn.conversation.session_id
    assert f"message:{turn.message.pk}" not in json.dumps([asked.headers, asked.body])
    assert AnswerLog.objects.get().session_id == ""
    assert ModelCall.objects.get().session_id == ""


@pytest.mark.usefixtures("shop")
def test_the_keys_are_written_with_the_rows(provider: ModelServer) -> None:
    turn = held_turn(text=UNKNOWN)
    with CaptureQueriesContext(connection) as queries:
        flow.reply(turn, model=tasks._ask)
    for table in (AnswerLog._meta.db_table, ModelCall._meta.db_table):
        [statement] = [query["sql"] for query in queries if table in query["sql"]]
        assert statement.startswith("INSERT INTO")
