"""The former release named a conversation by its hash alone. From each conversation its hash is
computed again, and the answers that bear it get the plain keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import QuerySet

SLICE = 500


def name_conversations(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    database = schema_editor.connection.alias
    answers = apps.get_model("assistant", "AnswerLog").objects.using(database)
    nameless = answers.filter(conversation_id=None).order_by()
    conversations = apps.get_model("conversations", "Conversation").objects.using(database)
    for found in _slices(conversations):
        by_hash = {_hash(pk, account_id): (pk, account_id) for pk, account_id in found}
        theirs = nameless.filter(session_id__in=by_hash)
        for session_id in set(theirs.values_list("session_id", flat=True)):
            pk, account_id = by_hash[session_id]
            own = nameless.filter(session_id=session_id)
            own.update(conversation_id=pk, account_id=account_id)


def _slices(conversations: QuerySet) -> Iterator[list[tuple[int, int]]]:
    last = 0
    while True:
        following = conversations.filter(pk__gt=last).order_by("pk")
        found = list(following.values_list("pk", "account_id")[:SLICE])
        if not found:
            return
        yield found
        last = found[-1][0]


def _hash(pk: int, account_id: int) -> str:
    return hashlib.sha256(f"conversation-{pk}-{account_id}".encode()).hexdigest()[:32]


class Migration(migrations.Migration):
    # Each UPDATE by itself: the former release writes meanwhile.
    atomic = False

    dependencies = [
        ("assistant", "0002_keys_of_answers"),
        ("conversations", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(name_conversations, migrations.RunPython.noop, elidable=True),
    ]
