"""Answers in parts that WeChat takes: bytes are counted, sentences stay
whole, nothing gets lost.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.replies.links import look_link, words_of
from conversations.replies.parts import MESSAGE_BYTES, PART_BYTES, byte_length, cut
from conversations.texts import default_text


def without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_it_leaves_a_short_answer_whole() -> None:
    assert cut("七天内可以退货。运费由我们承担。") == ["七天内可以退货。运费由我们承担。"]


def test_it_makes_no_part_of_nothing() -> None:
    assert cut("") == []
    assert cut(" \n\t ") == []


def test_it_counts_utf_8_bytes_and_not_characters() -> None:
    text = "好" * 600
    assert len(text) < PART_BYTES < byte_length(text)
    assert [byte_length(part) for part in cut(text)] == [1749, 51]


def test_it_cuts_at_the_ends_of_sentences() -> None:
    sentence = "这是一句完整的话，说的是退货的条件。"
    parts = cut(sentence * 100)
    assert len(parts) > 1
    assert all(part.endswith("。") for part in parts)
    assert "".join(parts) == sentence * 100


@pytest.mark.parametrize("mark", ["。", "！", "？", "；", "\n", "。”", "！」", "……", "?）"])
def test_it_knows_the_mark_that_ends_a_sentence(mark: str) -> None:
    assert cut(f"第一句话{mark}第二句话。", limit=25) == [f"第一句话{mark}".strip(), "第二句话。"]


def test_it_takes_a_full_stop_before_a_space_for_the_end_of_an_english_sentence() -> None:
    assert cut("The price is 3.5 yuan. It is final.", limit=25) == [
        "The price is 3.5 yuan.",
        "It is final.",
    ]


def test_it_does_not_take_the_marks_inside_a_link_for_the_end_of_a_sentence() -> None:
    link = '<a href="https://shop.example/p?id=5;lang=zh">商品页</a>'
    assert cut(f"说明在这里：{link}。", limit=byte_length(link) + 30) == [f"说明在这里：{link}。"]
    assert link in cut(f"先看一句前言。{link}", limit=byte_length(link) + 5)[1]


def test_it_cuts_one_sentence_of_nine_kilobytes_between_characters() -> None:
    text = "很长的一句话没有标点" * 300
    assert byte_length(text) == 9000
    parts = cut(text)
    assert "".join(parts) == text
    assert all(byte_length(part) <= PART_BYTES for part in parts)


def test_it_does_not_split_an_emoji() -> None:
    parts = cut("😀" * 1000)
    assert "".join(parts) == "😀" * 1000
    assert all(set(part) == {"😀"} for part in parts)


def test_it_makes_no_part_of_white_space_in_the_middle() -> None:
    parts = cut(f"开头{' ' * 5000}结尾")
    assert all(part.strip() for part in parts)
    assert without_spaces("".join(parts)) == "开头结尾"


def test_it_keeps_line_breaks_inside_a_part() -> None:
    assert cut("第一步：打开订单。\n第二步：点退货。") == ["第一步：打开订单。\n第二步：点退货。"]


@pytest.mark.parametrize(("words", "label"), [("more", "more_link"), ("thinking", "thinking_link")])
def test_it_leaves_room_for_the_link_that_may_follow_a_part(words: str, label: str) -> None:
    link = default_text("look_words").format(
        link=look_link(default_text(label)), words=words_of(default_text(label))
    )
    tail = default_text(words).format(link=link)
    assert PART_BYTES + byte_length(f"\n{tail}") <= MESSAGE_BYTES


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=3000), st.integers(8, 400)
)
def test_it_loses_nothing_but_white_space_and_keeps_the_limit(text: str, limit: int) -> None:
    parts = cut(text, limit)
    assert all(0 < byte_length(part) <= limit and part.strip() == part for part in parts)
    assert without_spaces("".join(parts)) == without_spaces(text)


@given(
    st.lists(
        st.sampled_from(
            ["好的。", "Yes. ", "真的？", "😀", "a", " ", "\n", "https://x.cn/?a=1", "！”"]
        ),
        max_size=400,
    )
)
def test_it_loses_nothing_of_ordinary_answers(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert without_spaces("".join(cut(text, 60))) == without_spaces(text)
