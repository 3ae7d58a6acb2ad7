"""The release before this one writes its rows into the migrated tables: it still serves while the
new one is put in place.

Its statements stand here as it runs them. Whoever prepares a release puts those of the one that is
out in their place.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from assistant.models import AnswerLog
from conversations.models import Conversation, Customer, Message, Reply, ReplyState
from conversations.replies import by_api, states
from llm.models import ModelCall
from tests.factories import AccountFactory, ConversationFactory, MessageFactory
from tests.worlds.api_stub import ApiStub

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
AT_NOON = "2026-11-02 12:00:00.000000"
# Where the tables stood in that release, for rows that it writes through the ORM.
THEN = [("assistant", "0001_initial"), ("llm", "0001_initial")]

MESSAGE = (
    "INTO conversations_message (id, account_id, openid, dedup_key, kind, text, fields, raw,"
    " wants_human, sent_at, received_at, state, hold, hold_until, ended_with, passive_text,"
    " deliveries, attempt, note) VALUES (%s, %s, 'oLiHua', 'key', 'text', '怎么退货', '{}', '', 0,"
    " %s, %s, 'received', 'waiting', %s, '', '', 1, 0, '')"
)
CUSTOMER = (
    "INTO conversations_customer (account_id, openid, remark, subscribed, created_at,"
    " message_sends_left, message_window_until, event_sends_left, event_window_until)"
    " VALUES (%s, 'oLiHua', '', 1, %s, 5, %s, 0, NULL)"
)
CONVERSATION = (
    "INTO conversations_conversation (customer_id, account_id, owner, owner_version, lease_holder,"
    " lease_until, created_at, last_message_at)"
    " SELECT id, account_id, 'bot', 0, '', %s, %s, %s FROM conversations_customer"
)
REPLY = (
    "INSERT INTO conversations_reply (conversation_id, message_id, part, author, agent_name,"
    " source, options, owner_version, text, state, channel, tries, lease_until, due_at, created_at,"
    " sent_at, reason)"
    " VALUES (%s, %s, 1, 'bot', '', 'faq', '[]', 0, '七天内可以。', 'ready', '', 0, NULL, %s, %s,"
    " NULL, '')"
)
CLAIM_REPLY = (
    "UPDATE conversations_reply SET state = 'sending', tries = 1, lease_until = %s"
    " WHERE id = %s AND state = 'ready'"
)


def ignoring(words: str) -> str:
    """Its INSERTs leave known keys out, and say nothing of a column that has no value."""
    verb = "INSERT IGNORE" if connection.vendor == "mysql" else "INSERT OR IGNORE"
    return f"{verb} {words}"


def run(sql: str, *arguments: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.rowcount


def test_it_stores_a_push() -> None:
    account = AccountFactory()
    assert run(ignoring(MESSAGE), 7, account.pk, AT_NOON, AT_NOON, AT_NOON) == 1
    message = Message.objects.get()
    assert (message.text, message.received_at, message.ended_by) == ("怎么退货", NOON, "")


def test_it_begins_a_conversation() -> None:
    assert run(ignoring(CUSTOMER), AccountFactory().pk, AT_NOON, AT_NOON) == 1
    assert run(ignoring(CONVERSATION), AT_NOON, AT_NOON, AT_NOON) == 1
    assert Conversation.objects.get().customer == Customer.objects.get()


def test_what_it_writes_this_release_sends(wechat: ApiStub) -> None:
    message = MessageFactory()
    Customer.objects.update(message_sends_left=5, message_window_until="2099-01-01 00:00Z")
    assert run(REPLY, message.conversation_id, message.pk, AT_NOON, AT_NOON) == 1
    assert by_api.deliver(message.conversation_id) == 1
    assert wechat.texts == ["七天内可以。"]
    assert Reply.objects.get().state == ReplyState.SENT


def test_it_sends_what_this_release_has_written() -> None:
    reply = Reply.objects.create(conversation=ConversationFactory(), author="bot", text="您好")
    assert run(CLAIM_REPLY, AT_NOON, reply.pk) == 1


def test_what_it_sends_after_a_refusal_of_this_release_counts_as_begun() -> None:
    """It knows of no claim: that of the refused try must not pass for its own."""
    reply = Reply.objects.create(
        conversation=ConversationFactory(),
        author="bot",
        text="您好",
        state=ReplyState.SENDING,
        claim="ours",
        begun_at=NOON,
    )
    assert states.try_later(reply, NOON, "busy")
    assert run(CLAIM_REPLY, AT_NOON, reply.pk) == 1
    assert not Reply.objects.filter(states.not_begun()).exists()


@pytest.mark.parametrize("model", [AnswerLog, ModelCall])
def test_it_writes_its_log(model: type[models.Model]) -> None:
    """Through the ORM, which names each column that it knew then."""
    project = MigrationLoader(connection).project_state(THEN)
    former = project.apps.get_model(model._meta.label)
    known = {field.attname for field in former._meta.concrete_fields}
    assert known < {field.attname for field in apps.get_model(model._meta.label)._meta.fields}
    row = former(**_of_its_own(former))
    row.save(force_insert=True)
    assert model.objects.filter(pk=row.pk).count() == 1


def _of_its_own(former: type[models.Model]) -> dict[str, Any]:
    """A value for each field that has none by itself."""
    without = [field for field in former._meta.concrete_fields if not _has_value(field)]
    return {
        field.attname: NOON if isinstance(field, models.DateTimeField) else 0 for field in without
    }


def _has_value(field: models.Field[Any, Any]) -> bool:
    return field.has_default() or field.null or field.primary_key or field.empty_strings_allowed
