"""Different ways of typing the same words are the same question."""

from __future__ import annotations

import pytest

from common.text import Words
from knowledge.retrieval.lexical.ranking import Ranking
from knowledge.synonyms import SHIPPED, Synonyms
from knowledge.terms import canonical

ENTRIES = [["怎么退货"], ["VIP 会员积分怎么用"], ["能发顺丰吗"], ["reset my password"]]


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return Ranking(ENTRIES, Synonyms(SHIPPED))


@pytest.mark.parametrize(
    ("typed", "entry"),
    [
        ("怎么退货？", 0),
        ("怎麼退貨", 0),
        ("  怎么，退货！！", 0),
        ("如何退货", 0),
        ("咋退货", 0),
        ("你好，请问怎么退货啊", 0),
        ("ＶＩＰ　会员积分怎么用", 1),
        ("vip会员积分如何用？", 1),
        ("Reset my PASSWORD!", 3),
    ],
)
def test_it_is_certain_of_a_question_that_differs_only_in_typing(
    ranking: Ranking, typed: str, entry: int
) -> None:
    ranked = ranking.rank(Words(typed))

    assert ranked.positions[0] == entry
    assert ranked.confidence == 1.0


def test_it_is_not_certain_of_a_question_that_differs_in_a_word(ranking: Ranking) -> None:
    assert ranking.rank(Words("怎么换货")).confidence < 1.0


def test_it_keeps_the_words_when_all_of_them_are_polite() -> None:
    assert canonical("你好", Synonyms(())) == "你好"


def test_it_reads_the_longest_word_of_a_rule_first() -> None:
    synonyms = Synonyms(["什么 啥", "为什么 为啥"])

    assert synonyms.apply("为啥") == "为什么"
    assert synonyms.apply("啥时候") == "什么时候"


def test_it_replaces_a_latin_word_only_as_a_whole() -> None:
    assert Synonyms(["软件 app"]).apply("app 和 apple") == "软件 和 apple"


def test_it_folds_the_words_of_a_rule() -> None:
    assert Synonyms(["怎么 怎麼 ＨＯＷ"]).apply("how 退货") == "怎么 退货"
