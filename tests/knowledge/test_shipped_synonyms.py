"""The general rules that every installation starts with."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from common.text import Words
from knowledge.models import SynonymRule
from knowledge.retrieval.matching import match
from knowledge.synonyms import SHIPPED, words_of
from tests.knowledge.builders import make_faq

migration = import_module("knowledge.migrations.0002_general_synonyms")


@pytest.fixture
def editor(db: None) -> SimpleNamespace:
    """What a migration gets, as far as this one looks at it."""
    return SimpleNamespace(connection=connection)


def test_the_migration_brings_them_all(editor: SimpleNamespace) -> None:
    # A test with transactions of its own may have emptied the table, or not.
    SynonymRule.objects.all().delete()

    migration.add_rules(apps, editor)

    assert set(SynonymRule.objects.values_list("words", flat=True)) == set(SHIPPED)


def test_no_word_is_in_two_rules() -> None:
    words = [word for rule in SHIPPED for word in words_of(rule)]

    assert len(words) == len(set(words))


def test_the_migration_is_safe_twice_and_keeps_an_editors_rules(editor: SimpleNamespace) -> None:
    SynonymRule.objects.create(words="快递 包裹")
    migration.add_rules(apps, editor)

    assert SynonymRule.objects.count() == len(SHIPPED) + 1


def test_the_migration_can_be_taken_back(editor: SimpleNamespace) -> None:
    SynonymRule.objects.create(words="快递 包裹")
    migration.remove_rules(apps, editor)

    assert list(SynonymRule.objects.values_list("words", flat=True)) == ["快递 包裹"]


@pytest.mark.django_db
def test_matching_uses_the_rules_that_are_enabled() -> None:
    make_faq("快递到哪里了")
    make_faq("怎么退货")
    SynonymRule.objects.create(words="快递 包裹")
    SynonymRule.objects.create(words="退货 退掉", enabled=False)

    assert match(Words("包裹到哪里了")).confidence == 1.0
    assert match(Words("怎么退掉")).confidence < 1.0
