"""The readings of what somebody wrote."""

from __future__ import annotations

import pytest

from common.text import Words, fold


def test_it_folds_away_width_case_traditional_characters_and_marks() -> None:
    assert Words("ＶＩＰ　退貨？").folded == fold("ＶＩＰ　退貨？") == "vip 退货"


def test_alike_keeps_the_marks() -> None:
    assert Words("退貨？謝謝！").alike == "退货?谢谢!"


@pytest.mark.parametrize(
    ("text", "joined"),
    [("转 人 工", "转人工"), ("talk to a human", "talk to a human"), ("找 agent 吧", "找agent吧")],
)
def test_joined_keeps_only_words_of_alphabets_apart(text: str, joined: str) -> None:
    assert Words(text).joined == joined


def test_words_are_equal_when_their_texts_are() -> None:
    assert len({Words("退货"), Words("退货"), Words("退货？")}) == 2
