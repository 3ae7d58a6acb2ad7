from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from common.text import Words
from knowledge import cache, versions
from knowledge.models import CachedAnswer
from knowledge.terms import wording
from knowledge.versions import knowledge_changed, knowledge_version
from tests.knowledge.builders import absent_redis, make_faq

pytestmark = pytest.mark.django_db


def keep(question: str = "你们支持货到付款吗", answer: str = "暂不支持。") -> None:
    cache.keep(
        Words(question), answer, model_name="some-model", knowledge_version=knowledge_version()
    )


@pytest.fixture
def edit_knowledge(django_capture_on_commit_callbacks: Callable) -> Callable[[], None]:
    def edit() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            make_faq("鞋子怎么清洗")
            knowledge_changed()

    return edit


def test_the_next_customer_gets_the_kept_answer() -> None:
    keep()

    found = cache.find(Words("你們支持貨到付款嗎？"))

    assert found is not None
    assert (found.answer, found.model_name) == ("暂不支持。", "some-model")


def test_another_question_gets_nothing() -> None:
    keep()

    assert cache.find(Words("你们支持分期付款吗")) is None


def test_questions_that_a_collation_takes_for_equal_are_apart() -> None:
    keep("cafe", "一")
    keep("café", "二")

    assert [
        found and found.answer for found in (cache.find(Words("cafe")), cache.find(Words("café")))
    ] == [
        "一",
        "二",
    ]


def test_it_is_out_of_use_after_an_edit_of_the_knowledge_base(
    edit_knowledge: Callable[[], None],
) -> None:
    keep()
    edit_knowledge()

    assert cache.find(Words("你们支持货到付款吗")) is None


def test_it_is_out_of_use_after_its_time() -> None:
    keep()
    CachedAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert cache.find(Words("你们支持货到付款吗")) is None


def test_a_pinned_one_survives_both(edit_knowledge: Callable[[], None]) -> None:
    keep()
    CachedAnswer.objects.update(pinned=True, expires_at=timezone.now() - timedelta(days=400))
    edit_knowledge()

    assert cache.find(Words("你们支持货到付款吗")) is not None


def test_a_newer_answer_replaces_the_old_one(edit_knowledge: Callable[[], None]) -> None:
    keep()
    edit_knowledge()
    keep(answer="现在支持了。")

    found = cache.find(Words("你们支持货到付款吗"))
    assert found is not None
    assert found.answer == "现在支持了。"
    assert CachedAnswer.objects.count() == 1


def test_a_model_does_not_write_over_a_pinned_answer() -> None:
    keep()
    CachedAnswer.objects.update(pinned=True, answer="人工写的答案。")
    keep(answer="模型的新答案。")

    found = cache.find(Words("你们支持货到付款吗"))
    assert found is not None
    assert found.answer == "人工写的答案。"


def test_an_answer_made_from_older_knowledge_is_not_given(
    edit_knowledge: Callable[[], None],
) -> None:
    version = knowledge_version()
    edit_knowledge()
    cache.keep(Words("你们支持货到付款吗"), "旧的。", model_name="m", knowledge_version=version)

    assert cache.find(Words("你们支持货到付款吗")) is None


@pytest.mark.parametrize(("question", "answer"), [("？？", "答"), ("问", "  ")])
def test_it_does_not_keep_what_is_empty(question: str, answer: str) -> None:
    keep(question, answer)

    assert not CachedAnswer.objects.exists()


def test_a_very_long_question_is_kept_and_found() -> None:
    keep("怎么退货" * 300)

    assert cache.find(Words("怎么退货" * 300)) is not None
    assert cache.find(Words("怎么退货" * 299)) is None


def test_a_deleted_one_is_forgotten() -> None:
    keep()
    CachedAnswer.objects.all().delete()

    assert cache.find(Words("你们支持货到付款吗")) is None


def test_hits_are_counted_apart_and_written_down_when_somebody_looks(
    django_assert_num_queries: Callable,
) -> None:
    keep()
    with django_assert_num_queries(3):
        for _ in range(3):
            cache.find(Words("你们支持货到付款吗"))
    assert CachedAnswer.objects.get().hits == 0

    cache.write_down_hits()
    cache.write_down_hits()

    assert CachedAnswer.objects.get().hits == 3


def test_hits_of_a_deleted_answer_are_dropped() -> None:
    keep()
    cache.find(Words("你们支持货到付款吗"))
    CachedAnswer.objects.all().delete()

    cache.write_down_hits()

    assert not CachedAnswer.objects.exists()


def test_it_works_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "redis", absent_redis)
    monkeypatch.setattr(cache, "redis", absent_redis)
    keep()

    assert cache.find(Words("你们支持货到付款吗")) is not None
    cache.write_down_hits()


def test_keeping_deletes_what_is_long_out_of_use() -> None:
    for question in ("很早以前的问题", "固定的问题"):
        keep(question)
    CachedAnswer.objects.update(expires_at=timezone.now() - cache.DELETE_AFTER - timedelta(days=1))
    CachedAnswer.objects.filter(question="固定的问题").update(pinned=True)
    cache.redis().delete(cache.SWEPT_KEY)

    keep("新的问题")

    assert set(CachedAnswer.objects.values_list("question", flat=True)) == {
        "固定的问题",
        "新的问题",
    }


def test_two_accounts_share_no_answer() -> None:
    question, version = "你们支持货到付款吗", knowledge_version()
    cache.keep(Words(question), "支持。", model_name="m", knowledge_version=version)
    cache.keep(Words(question), "不支持。", model_name="m", knowledge_version=version, whose="2")

    assert [cache.find(Words(question), whose=whose) for whose in ("", "2", "3")] == [
        CachedAnswer.objects.get(answer="支持。"),
        CachedAnswer.objects.get(answer="不支持。"),
        None,
    ]


def test_what_was_kept_before_there_were_other_accounts_is_the_first_ones() -> None:
    folded = hashlib.sha256(wording("怎么退货").encode()).hexdigest()
    assert cache.normalised(Words("怎么退货")) == folded
    assert cache.normalised(Words("怎么退货"), "2") != folded
