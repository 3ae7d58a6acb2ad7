"""The former version still writes while a new one is put in place: no migration takes from it what
it writes to.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED

OURS = {
    "wechatbot",
    "webhook",
    "simulator",
    "tickets",
    "assistant",
    "knowledge",
    "conversations",
    "wechat",
    "llm",
}
# What the former version knows by its name. It goes in two releases: the first stops to use it, the
# second drops it. A removal that was prepared so stands here with the release that stopped to use
# it.
TAKES_AWAY = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
)
PREPARED: set[tuple[str, str]] = set()


def is_safe(operation: Operation, made_here: set[str]) -> bool:
    """`made_here`: models that the same migration makes, which no former version writes to."""
    if isinstance(operation, migrations.AddField):
        return operation.model_name.lower() in made_here or may_be_left_out(operation.field)
    return not isinstance(operation, TAKES_AWAY)


def may_be_left_out(field: models.Field) -> bool:
    """An INSERT that does not know the column succeeds."""
    return field.many_to_many or field.null or field.db_default is not NOT_PROVIDED


def unsafe(migration: migrations.Migration) -> Iterator[str]:
    made_here = {
        one.name.lower() for one in migration.operations if isinstance(one, migrations.CreateModel)
    }
    for operation in _flat(migration.operations):
        if not is_safe(operation, made_here):
            yield operation.describe()


def _flat(operations: list[Operation]) -> Iterator[Operation]:
    for operation in operations:
        yield operation
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from operation.database_operations


def test_every_migration_leaves_the_former_version_at_work() -> None:
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    ours = {key: migration for key, migration in found.items() if key[0] in OURS}

    assert {app for app, _name in ours} >= {"conversations", "tickets", "wechat"}
    problems = {
        key: list(unsafe(migration)) for key, migration in ours.items() if key not in PREPARED
    }
    assert {key: words for key, words in problems.items() if words} == {}


class Sample(migrations.Migration):
    def __init__(self, *operations: Operation) -> None:
        super().__init__("sample", "conversations")
        self.operations = list(operations)


@pytest.mark.parametrize(
    "field",
    [
        models.BooleanField(default=False),
        models.CharField(max_length=9),
        models.CharField(max_length=9, default=""),
    ],
)
def test_a_column_that_only_django_fills_is_found(field: models.Field) -> None:
    assert list(unsafe(Sample(migrations.AddField("message", "colour", field))))


@pytest.mark.parametrize(
    "field",
    [
        models.BooleanField(default=False, db_default=False),
        models.CharField(max_length=9, null=True),
    ],
)
def test_a_column_that_the_database_fills_is_well(field: models.Field) -> None:
    assert list(unsafe(Sample(migrations.AddField("message", "colour", field)))) == []


def test_what_is_taken_away_is_found() -> None:
    inside = migrations.SeparateDatabaseAndState(
        database_operations=[migrations.DeleteModel("Reply")]
    )

    assert list(unsafe(Sample(migrations.RemoveField("message", "text"))))
    assert list(unsafe(Sample(migrations.RenameField("message", "text", "words"))))
    assert list(unsafe(Sample(inside)))


def test_our_packages_are_all_looked_at() -> None:
    with_tables = {
        model._meta.app_label
        for model in apps.get_models()
        if model.__module__.split(".")[0] in OURS
    }

    assert with_tables <= OURS
