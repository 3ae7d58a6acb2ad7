from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.redis import redis
from knowledge import versions
from knowledge.versions import CHANGES_KEY, VERSION_KEY, knowledge_changed, knowledge_version
from tests.knowledge.builders import absent_redis, make_faq


@pytest.mark.django_db
def test_it_is_computed_once_and_then_read_from_redis() -> None:
    first = knowledge_version()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        again = knowledge_version()

    assert again == first
    assert len(queries) == 0


def test_it_is_the_same_after_redis_was_emptied(shop: dict[str, int]) -> None:
    before = knowledge_version()
    redis().flushdb()

    assert knowledge_version() == before


def test_it_is_the_same_with_and_without_redis(
    shop: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_redis = knowledge_version()
    monkeypatch.setattr(versions, "redis", absent_redis)

    assert knowledge_version() == with_redis


def test_an_edit_changes_it_for_all(
    shop: dict[str, int], django_capture_on_commit_callbacks: Callable
) -> None:
    before = knowledge_version()
    with django_capture_on_commit_callbacks(execute=True):
        make_faq("鞋子怎么清洗")
        knowledge_changed()

    assert knowledge_version() != before


def test_it_is_told_only_after_the_commit(
    shop: dict[str, int], django_capture_on_commit_callbacks: Callable
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        knowledge_changed()
        assert redis().get(CHANGES_KEY) is None

    callbacks[0]()
    assert redis().get(CHANGES_KEY) == b"1"


def test_a_version_that_was_read_before_an_edit_is_not_taken_for_the_new_one(
    shop: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable,
) -> None:
    compute = versions.version_of_rows

    def edited_while_computing() -> str:
        version = compute()
        with django_capture_on_commit_callbacks(execute=True):
            make_faq("鞋子怎么清洗")
            knowledge_changed()
        return version

    monkeypatch.setattr(versions, "version_of_rows", edited_while_computing)
    outdated = knowledge_version()
    monkeypatch.setattr(versions, "version_of_rows", compute)

    assert knowledge_version() == compute() != outdated


def test_it_is_computed_anew_after_a_while_in_case_an_edit_was_never_told(
    shop: dict[str, int],
) -> None:
    knowledge_version()

    assert 0 < redis().ttl(VERSION_KEY) <= versions.COMPUTE_ANEW_AFTER


def test_without_redis_it_is_not_computed_at_every_question(
    shop: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "redis", absent_redis)
    knowledge_version()
    with CaptureQueriesContext(connection) as queries:
        knowledge_version()

    assert len(queries) == 0


@pytest.mark.django_db
def test_an_edit_is_saved_while_redis_is_away(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable
) -> None:
    monkeypatch.setattr(versions, "redis", absent_redis)
    before = knowledge_version()
    with django_capture_on_commit_callbacks(execute=True):
        make_faq("怎么退货")
        knowledge_changed()

    assert knowledge_version() != before
