"""The three bands, and what a menu offers and takes."""

from __future__ import annotations

import pytest

from common.fresh import forget_all
from common.text import Words
from knowledge.models import FAQ
from knowledge.retrieval.matching import ANSWER_AT, SUGGEST_AT, band_of, by_id, match
from tests.knowledge.builders import make_faq


def test_it_answers_a_question_it_knows(shop: dict[str, int]) -> None:
    found = match(Words("怎么退货？"))

    assert found.band == "answer"
    assert found.confidence == 1.0
    assert found.evidence[0].id == shop["怎么退货"]
    assert found.evidence[0].text == "怎么退货的答案"


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("请问衣服不想要了，能退吗", "怎么退货"),
        ("发票在哪里开呢", "怎么开发票"),
        ("付款之后多久发货", "什么时候发货"),
        ("I forgot my password", "how do I reset my password"),
        ("please track my package", "where is my order"),
    ],
)
def test_it_finds_a_question_asked_in_other_words(
    shop: dict[str, int], asked: str, question: str
) -> None:
    found = match(Words(asked))

    assert found.band == "answer"
    assert found.evidence[0].id == shop[question]


def test_it_suggests_when_two_are_meant_alike(shop: dict[str, int]) -> None:
    make_faq("鞋子怎么清洗")
    make_faq("衣服怎么清洗")

    found = match(Words("怎么清洗"))

    assert found.band == "suggest"
    assert {one.title for one in found.evidence[:2]} == {
        "鞋子怎么清洗",
        "衣服怎么清洗",
    }
    assert len(found.evidence) <= 3


@pytest.mark.parametrize("asked", ["退", "换", "钱"])
def test_it_is_never_sure_of_one_character(db: None, asked: str) -> None:
    make_faq("怎么退钱")
    make_faq("尺码不合适能换吗")

    assert match(Words(asked)).band == "suggest"


def test_it_answers_a_question_of_one_character_that_stands_there(db: None) -> None:
    make_faq("换")

    assert match(Words("换？")).band == "answer"


@pytest.mark.parametrize(
    "asked", ["今天天气如何", "帮我写一首诗", "what is the capital of France", "1", "？"]
)
def test_it_has_nothing_for_another_subject(shop: dict[str, int], asked: str) -> None:
    assert match(Words(asked)).band == "none"


def test_it_has_nothing_without_faqs(db: None) -> None:
    found = match(Words("怎么退货"))

    assert (found.band, found.evidence) == ("none", ())


def test_it_does_not_give_a_disabled_faq(shop: dict[str, int]) -> None:
    offered = {one.title for one in match(Words("门店在哪里")).evidence}

    assert "门店在哪里" not in offered


def test_a_menu_digit_finds_its_faq_by_id(shop: dict[str, int]) -> None:
    picked = by_id(shop["退款多久到账"])

    assert picked is not None
    assert (picked.title, picked.text) == ("退款多久到账", "退款多久到账的答案")


def test_a_menu_digit_finds_nothing_when_the_faq_was_disabled_or_deleted(
    shop: dict[str, int],
) -> None:
    assert by_id(shop["门店在哪里"]) is None
    FAQ.objects.filter(pk=shop["怎么退货"]).delete()
    forget_all()

    assert by_id(shop["怎么退货"]) is None


def test_each_confidence_is_in_one_band() -> None:
    assert [
        band_of(confidence)
        for confidence in (1.0, ANSWER_AT, ANSWER_AT - 0.01, SUGGEST_AT, SUGGEST_AT - 0.01, 0.0)
    ] == [*("answer", "answer", "suggest", "suggest", "none", "none")]
