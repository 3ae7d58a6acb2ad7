"""A question that differs by the one word that matters is offered the FAQ, not given its answer."""

from __future__ import annotations

import pytest

from common.fresh import forget_all
from common.text import Words
from knowledge.models import Phrasing
from knowledge.retrieval.lexical.confidence import ANSWER_AT, SUGGEST_AT
from knowledge.retrieval.lexical.ranking import Ranking
from knowledge.retrieval.matching import match
from knowledge.synonyms import SHIPPED, Synonyms
from tests.knowledge import near_misses
from tests.knowledge.builders import make_faq
from tests.knowledge.near_misses import SHOP, Pair

RANKING = Ranking(SHOP, Synonyms(SHIPPED))


def is_answered(pair: Pair) -> bool:
    """Whether the customer gets the answer of the pair's FAQ without being asked."""
    ranked = RANKING.rank(Words(pair.asked))
    return ranked.confidence >= ANSWER_AT and SHOP[ranked.positions[0]][0] == pair.question


def answered(pairs: tuple[Pair, ...]) -> int:
    return sum(map(is_answered, pairs))


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("怎么解绑手机号", "怎么绑定手机号"),
        ("支持 60 天退货吗", "支持 15 天退货吗"),
        ("支持六十天退货吗", "支持 15 天退货吗"),
        ("会员三年多少钱", "会员一年多少钱"),
        ("生鲜不可以退吗", "生鲜可以退吗"),
        ("how do I disable notifications", "how do I enable notifications"),
    ],
)
def test_it_offers_what_differs_by_the_word_that_matters(db: None, asked: str, known: str) -> None:
    for lines in SHOP:
        make_faq(*lines)

    found = match(Words(asked))

    assert (found.band, found.evidence[0].title) == ("suggest", known)


@pytest.mark.parametrize("asked", ["支持十五天退货吗", "支持 15 天退货么", "退货支持15天吗"])
def test_it_answers_the_same_number_however_it_is_written(asked: str) -> None:
    assert is_answered(Pair(asked, "支持 15 天退货吗"))


@pytest.mark.parametrize(
    "asked", ["生鲜能不能退", "生鲜可以退不", "生鲜是不是可以退", "生鲜可以退没有"]
)
def test_asking_whether_or_not_denies_nothing(asked: str) -> None:
    assert is_answered(Pair(asked, "生鲜可以退吗"))


def test_an_editor_who_adds_the_question_as_a_line_ends_the_doubt(db: None) -> None:
    faq = make_faq("支持 15 天退货吗")
    assert match(Words("支持 60 天退货吗")).band == "suggest"

    Phrasing.objects.create(faq=faq, text="支持 60 天退货吗")
    forget_all()

    found = match(Words("支持 60 天退货吗"))
    assert (found.band, found.confidence) == ("answer", 1.0)


def test_a_line_that_the_guard_does_not_stop_ends_it_for_the_whole_entry() -> None:
    ranking = Ranking([["支持 15 天退货吗", "退货期限"]], Synonyms(SHIPPED))

    assert ranking.rank(Words("支持 60 天退货吗")).confidence >= ANSWER_AT


def test_most_traps_of_the_small_shop_are_not_sprung() -> None:
    assert answered(near_misses.TUNED_TRAPS) <= 2
    assert answered(near_misses.UNSEEN_TRAPS) <= 4


def test_other_words_for_the_same_are_still_answered() -> None:
    assert answered(near_misses.TUNED_TRUE) == len(near_misses.TUNED_TRUE)
    assert answered(near_misses.UNSEEN_TRUE) >= 22


def test_no_pair_stands_in_two_lists() -> None:
    lists = (
        near_misses.TUNED_TRAPS,
        near_misses.UNSEEN_TRAPS,
        near_misses.TUNED_TRUE,
        near_misses.UNSEEN_TRUE,
    )
    asked = [pair.asked for pairs in lists for pair in pairs]
    known = {lines[0] for lines in SHOP}

    assert len(asked) == len(set(asked))
    assert all(pair.question in known for pairs in lists for pair in pairs)


def test_a_line_of_the_same_words_in_another_order_is_not_shown_as_the_very_question() -> None:
    ranked = Ranking([["退货 退款"], ["发票"]], Synonyms(())).rank(Words("退款 退货"))

    assert SUGGEST_AT < ranked.confidence < 1
    assert max(ranked.scores) <= 0.99


@pytest.mark.parametrize("text", ["票", "票票票票", "票 票 票"])
def test_one_character_is_no_question_however_often_it_stands_there(text: str) -> None:
    ranking = Ranking(
        [["怎么开发票"], ["怎么退货"], ["退款多久到账"], ["什么时候发货"]], Synonyms(SHIPPED)
    )

    assert SUGGEST_AT <= ranking.rank(Words(text)).confidence < ANSWER_AT
