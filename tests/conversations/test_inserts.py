"""The INSERTs of the message's way: every column of a written table has a value, as the ORM would
store it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import NOT_PROVIDED
from django.test.utils import isolate_apps

from conversations.ids import new_id
from conversations.models import (
    Author,
    Conversation,
    Customer,
    Hold,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import states
from conversations.sql import Insert
from conversations.turns import arriving
from conversations.window.ledger import Window
from tests.factories import AccountFactory, MessageFactory

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
INSERTS = {
    Message: arriving._MESSAGE,
    Customer: arriving._CUSTOMER,
    Conversation: arriving._CONVERSATION,
    Reply: states._REPLY,
}


@pytest.mark.parametrize("model", INSERTS, ids=lambda model: model.__name__)
def test_every_column_is_written_or_filled_by_the_database(model: type[models.Model]) -> None:
    written = INSERTS[model].columns
    left_out = [field for field in model._meta.concrete_fields if field.attname not in written]
    assert left_out
    for field in left_out:
        is_filled = field.null or field.db_default is not NOT_PROVIDED
        assert is_filled or isinstance(field, models.AutoField), field.attname


def table_with(colour: models.Field[Any, Any]) -> type[models.Model]:
    """A table that got this column, of which its INSERT knows nothing."""
    with isolate_apps("conversations"):
        meta = type("Meta", (), {"app_label": "conversations"})
        members = {"__module__": __name__, "Meta": meta, "colour": colour}
        return type("Table", (models.Model,), {"text": models.TextField(), **members})


@pytest.mark.parametrize(
    "colour",
    [
        models.CharField(max_length=9),
        models.CharField(max_length=9, default=lambda: "red"),
        models.IntegerField(),
        models.BooleanField(),
        models.DateTimeField(auto_now_add=True),
        models.JSONField(),
    ],
)
def test_a_column_without_a_value_is_an_error_at_import(colour: models.Field[Any, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match="colour"):
        Insert(table_with(colour), ("text",))


@pytest.mark.parametrize(
    ("colour", "is_written"),
    [
        (models.CharField(max_length=9, null=True), False),
        (models.CharField(max_length=9, default="red", db_default="red"), False),
        (models.CharField(max_length=9, default="red"), True),
        (models.CharField(max_length=9, blank=True), True),
        (models.BooleanField(default=False), True),
        (models.IntegerField(default=7), True),
        (models.JSONField(default=dict), True),
    ],
)
def test_a_column_with_a_known_value_is_none(
    colour: models.Field[Any, Any], is_written: bool
) -> None:
    assert ("colour" in Insert(table_with(colour), ("text",)).columns) == is_written


def test_a_value_that_nobody_can_store_is_an_error_at_import() -> None:
    with pytest.raises(ImproperlyConfigured, match="_STORED"):
        Insert(table_with(models.DurationField(null=True)), ("text", "colour"))


@pytest.mark.django_db
class TestARow:
    """Written by its INSERT it is the one that the ORM would have written."""

    def test_of_a_message(self) -> None:
        account = AccountFactory()
        given = {
            "id": new_id(),
            "account_id": account.pk,
            "openid": "oLiHua",
            "dedup_key": "key",
            "kind": "text",
            "text": "100% 'sure' \\ 你好 😀",
            "fields": {"url": "https://a/'%s'", "缩略": 1},
            "raw": "<xml/>",
            "wants_human": True,
            "sent_at": NOON,
            "received_at": NOON,
            "state": MessageState.RECEIVED,
            "hold": Hold.WAITING,
            "hold_until": NOON,
            "ended_with": "",
            "passive_text": "",
            "request_id": 7,
        }
        row = [given[column] for column in arriving.MESSAGE_COLUMNS]
        assert arriving.insert_messages([row]) == 1
        assert values(Message.objects.get()) == values(Message(**given))

    def test_of_a_customer_and_a_conversation(self) -> None:
        account = AccountFactory()
        window = Window(message_sends=5, message_until=NOON)
        conversation_id = arriving.begin_conversation(account.pk, "oLiHua", NOON, window, NOON)
        customer = Customer.objects.get()
        wanted = Customer(
            pk=customer.pk,
            account=account,
            openid="oLiHua",
            created_at=NOON,
            message_sends_left=5,
            message_window_until=NOON,
        )
        assert values(customer) == values(wanted)
        assert values(Conversation.objects.get()) == values(
            Conversation(
                pk=conversation_id,
                customer=customer,
                account=account,
                created_at=NOON,
                last_message_at=NOON,
            )
        )

    def test_of_a_reply(self) -> None:
        reply = full_reply()
        states.write([reply], ReplyState.READY)
        written = Reply.objects.get()
        reply.pk = written.pk
        assert values(written) == values(reply)

    def test_of_a_reply_that_a_person_wrote(self) -> None:
        reply = full_reply()
        reply.draft_key = "0123456789abcdef0123456789abcdef"
        states.write_by_hand(reply, ReplyState.READY)
        assert values(Reply.objects.get()) == values(reply)


def full_reply() -> Reply:
    message = MessageFactory()
    return Reply(
        conversation=message.conversation,
        message=message,
        author=Author.BOT,
        source="faq",
        options=[3, 1],
        owner_version=2,
        text="100% 'sure' \\ 你好 😀",
        due_at=NOON,
        created_at=NOON,
    )


def values(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
