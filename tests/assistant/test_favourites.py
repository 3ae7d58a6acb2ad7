"""Which questions a new follower is offered."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from assistant.favourites import favourites
from assistant.models import AnswerLog, Source
from common.fresh import forget_all
from common.text import Words
from knowledge.models import FAQ, Category
from knowledge.retrieval import matching
from tests.faqs import INVOICE, RETURNS, SHIPPING

pytestmark = pytest.mark.django_db


def asked(faq: FAQ, times: int, source: Source = Source.FAQ) -> None:
    AnswerLog.objects.bulk_create(
        AnswerLog(question="?", source=source, faq_id=faq.pk) for _ in range(times)
    )


def questions() -> list[str]:
    return [one.title for one in favourites()]


def test_they_are_what_customers_ask_most(shop: dict[str, FAQ]) -> None:
    asked(shop["门店地址在哪里"], 2)
    asked(shop["会员积分如何兑换"], 5)
    asked(shop["忘记密码如何处理"], 3)
    asked(shop[INVOICE[0]], 1)
    assert questions() == ["会员积分如何兑换", "忘记密码如何处理", "门店地址在哪里"]


def test_the_first_of_the_knowledge_base_fill_the_places(shop: dict[str, FAQ]) -> None:
    asked(shop[INVOICE[0]], 1)
    assert questions() == [INVOICE[0], RETURNS[0], SHIPPING[0]]


def test_the_first_are_those_of_the_editors_first_category(shop: dict[str, FAQ]) -> None:
    second = Category.objects.create(name="会员", position=2)
    first = Category.objects.create(name="门店", position=1)
    FAQ.objects.filter(pk=shop["会员积分如何兑换"].pk).update(category=second)
    FAQ.objects.filter(pk=shop["门店地址在哪里"].pk).update(category=first)
    assert questions() == ["门店地址在哪里", "会员积分如何兑换", RETURNS[0]]


def test_what_is_switched_off_is_not_offered(shop: dict[str, FAQ]) -> None:
    asked(shop[INVOICE[0]], 9)
    FAQ.objects.filter(pk=shop[INVOICE[0]].pk).update(enabled=False)
    forget_all()
    assert INVOICE[0] not in questions()
    assert len(questions()) == 3


def test_a_greeting_and_the_way_to_a_person_are_no_questions(shop: dict[str, FAQ]) -> None:
    for wording in ("你好", "转人工"):
        asked(FAQ.objects.create(question=wording, answer="您好。"), 9)
    assert questions() == [RETURNS[0], INVOICE[0], SHIPPING[0]]


def test_only_answers_from_the_knowledge_base_count(shop: dict[str, FAQ]) -> None:
    asked(shop["门店地址在哪里"], 9, Source.BLOCKED)
    assert questions() == [RETURNS[0], INVOICE[0], SHIPPING[0]]


def test_there_are_none_without_a_knowledge_base(db: None) -> None:
    assert favourites() == ()


def test_they_cost_two_small_queries(
    shop: dict[str, FAQ], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    matching.match(Words("先读一遍知识库"))
    with django_assert_num_queries(2):
        favourites()
