"""The keys of log rows came later than the rows: old rows stay, and the former release still
writes its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from assistant.models import AnswerLog, Source
from llm.models import ModelCall, Outcome
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)

FORMER = [("assistant", "0001_initial"), ("llm", "0003_shorter_first_token")]
ANSWER = {"question": "怎么退货", "answer": "七天内。", "source": Source.FAQ, "session_id": "a1"}
CALL = {"model": "small", "outcome": Outcome.OK, "session_id": "b2", "total_ms": 900}


def migrate_to(targets: list[tuple[str, str]]) -> Any:
    """The models of that time, to be used after this."""
    MigrationExecutor(connection).migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def newest() -> list[tuple[str, str]]:
    return MigrationExecutor(connection).loader.graph.leaf_nodes()


@pytest.fixture
def former() -> Iterator[Any]:
    """The former release's tables, and its models."""
    yield migrate_to(FORMER)
    migrate_to(newest())


def values_of(row: Model, names: dict[str, object]) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


def test_old_rows_stay_as_they_were(former: Any) -> None:
    former.get_model("assistant", "AnswerLog").objects.create(**ANSWER)
    former.get_model("llm", "ModelCall").objects.create(**CALL)
    migrate_to(newest())
    answer, call = AnswerLog.objects.get(), ModelCall.objects.get()
    assert values_of(answer, ANSWER) == ANSWER
    assert (answer.account_id, answer.conversation_id, answer.message_id) == (None, None, None)
    assert values_of(call, CALL) == CALL
    assert call.key == ""


def test_old_answers_find_their_conversation_by_its_hash(former: Any) -> None:
    conversation, other = ConversationFactory(), ConversationFactory()
    rows = former.get_model("assistant", "AnswerLog").objects
    for session_id in (conversation.session_id, conversation.session_id, other.session_id, "ask"):
        rows.create(**ANSWER | {"session_id": session_id})
    migrate_to(newest())
    found = AnswerLog.objects.order_by("pk").values_list("conversation_id", "account_id")
    keys = (conversation.pk, conversation.account_id)
    assert list(found) == [keys, keys, (other.pk, other.account_id), (None, None)]


def test_the_former_release_still_writes_on_the_new_tables(former: Any) -> None:
    migrate_to(newest())
    former.get_model("assistant", "AnswerLog").objects.create(**ANSWER)
    former.get_model("llm", "ModelCall").objects.create(**CALL)
    assert values_of(AnswerLog.objects.get(), ANSWER) == ANSWER
    assert values_of(ModelCall.objects.get(), CALL) == CALL


def test_after_a_step_back_the_rows_are_still_there(former: Any) -> None:
    migrate_to(newest())
    AnswerLog.objects.create(question="怎么换货", source=Source.FAQ, message_id=7)
    ModelCall.objects.create(model="small", outcome=Outcome.OK, key="message:7")
    back = migrate_to(FORMER)
    assert back.get_model("assistant", "AnswerLog").objects.get().question == "怎么换货"
    assert back.get_model("llm", "ModelCall").objects.get().session_id == ""
