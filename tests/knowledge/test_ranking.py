from __future__ import annotations

import pytest

from common.text import Words
from knowledge import terms
from knowledge.retrieval.lexical.confidence import confidence_of
from knowledge.retrieval.lexical.ranking import MOST_READ, Ranking
from knowledge.synonyms import Synonyms

NO_RULES = Synonyms(())


def test_it_finds_the_entry_by_its_best_line() -> None:
    ranking = Ranking([["退货运费谁出"], ["什么时候发货", "付款以后几天能寄出来"]], NO_RULES)

    assert ranking.rank(Words("付款以后多久寄出来")).positions[0] == 1


def test_it_gives_each_entry_once_best_first() -> None:
    ranking = Ranking(
        [["怎么退货", "退货流程", "我要退货"], ["退货地址"], ["怎么换货"], ["开发票"]], NO_RULES
    )

    ranked = ranking.rank(Words("退货要怎么弄"))

    assert ranked.positions[0] == 0
    assert len(set(ranked.positions)) == len(ranked.positions) == 3
    assert list(ranked.scores) == sorted(ranked.scores, reverse=True)


def test_it_leaves_out_entries_that_share_nothing() -> None:
    assert Ranking([["怎么退货"], ["发票抬头"]], NO_RULES).rank(Words("退货")).positions == (0,)


@pytest.mark.parametrize("question", ["", "？？！", "🙂", "1", "xyz"])
def test_it_finds_nothing_for_a_text_without_known_words(question: str) -> None:
    ranked = Ranking([["怎么退货"], ["怎么换货"]], NO_RULES).rank(Words(question))

    assert (ranked.positions, ranked.confidence) == ((), 0.0)


@pytest.mark.parametrize("entries", [[], [[]], [["？"]]])
def test_it_works_on_an_empty_knowledge_base(entries: list[list[str]]) -> None:
    assert Ranking(entries, NO_RULES).rank(Words("怎么退货")).positions == ()


def test_it_keeps_positions_when_an_entry_has_no_words() -> None:
    assert Ranking([["！！"], ["怎么退货"]], NO_RULES).rank(Words("怎么退货")).positions == (1,)


def test_it_works_on_a_single_entry() -> None:
    ranked = Ranking([["怎么退货"]], NO_RULES).rank(Words("我想退货"))

    assert ranked.positions == (0,)
    assert 0 < ranked.confidence < 1


def test_it_finds_english_words_in_another_form() -> None:
    ranking = Ranking(
        [["how do I get a refund"], ["when will you deliver"], ["change my address"]], NO_RULES
    )

    assert ranking.rank(Words("are refunds possible")).positions[0] == 0
    assert ranking.rank(Words("delivery time")).positions[0] == 1


def test_unknown_words_lower_the_confidence() -> None:
    ranking = Ranking([["运费多少"], ["怎么退货"], ["怎么开发票"]], NO_RULES)

    assert (
        ranking.rank(Words("苹果手机屏幕维修要多少")).confidence
        < ranking.rank(Words("运费要多少")).confidence
    )


def test_a_close_second_lowers_the_confidence() -> None:
    assert confidence_of(0.7, 0.65) < confidence_of(0.7, 0.2)
    assert confidence_of(0.9, 0.1) < 1.0


def test_long_text_costs_no_error() -> None:
    assert (
        Ranking([["怎么退货"], ["怎么换货"]], NO_RULES).rank(Words("怎么退货，" * 500)).positions[0]
        == 0
    )


@pytest.mark.parametrize("sign", ["好", "\ufdfa"], ids=["plain", "eighteen in one"])
def test_it_reads_the_beginning_of_a_text_that_is_too_long_for_a_question(
    monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    ranking = Ranking([["怎么退货"]], NO_RULES)
    read: list[str] = []

    def terms_of(text: str) -> list[tuple[str, float]]:
        read.append(text)
        return terms.terms_of(text)

    monkeypatch.setattr("knowledge.retrieval.lexical.ranking.terms_of", terms_of)

    ranked = ranking.rank(Words("怎么退货" + sign * 20_000))

    assert ranked.positions == (0,)
    assert [len(text) for text in read] == [MOST_READ]
