from __future__ import annotations

import json
from typing import Any

import pytest

from llm.errors import Failed, Nonsense
from llm.reading import Draft, Reply


def reply_to(*contents: Any) -> Reply:
    draft = Draft()
    for content in contents:
        draft.add(json.dumps({"choices": [{"delta": {"content": content}}]}))
    return draft.reply([])


def reply_to_event(event: str) -> Reply:
    draft = Draft()
    draft.add(event)
    return draft.reply([])


def test_it_joins_the_pieces() -> None:
    assert reply_to("您", "好", None, "！").text == "您好！"


def test_it_leaves_out_thoughts_that_a_model_writes_before_its_answer() -> None:
    assert reply_to("<think>客户要", "退货\n</think>\n\n可以退货。").text == "可以退货。"


def test_it_takes_thoughts_alone_for_no_answer() -> None:
    with pytest.raises(Nonsense):
        reply_to("<think>客户要退货</think>")


def test_it_reads_text_in_parts() -> None:
    assert (
        reply_to([{"type": "text", "text": "可以"}, {"type": "image", "url": "x"}]).text == "可以"
    )


def test_it_joins_a_character_that_was_cut_in_two() -> None:
    assert reply_to("好\ud83d", "\ude00").text == "好😀"


def test_it_lets_nothing_through_that_no_database_takes() -> None:
    assert reply_to("a\ud83db\x00c").text.encode()


@pytest.mark.parametrize(
    "event",
    [
        "[]",
        "7",
        "null",
        '"x"',
        '{"choices": 7}',
        '{"choices": [7]}',
        '{"choices": {"0": 1}}',
        "",
        "[" * 100_000,
    ],
)
def test_it_names_every_strange_shape_nonsense(event: str) -> None:
    with pytest.raises(Nonsense):
        reply_to_event(event)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": 7},
        {"content": {"a": 1}},
        {"tool_calls": 7},
        {"tool_calls": [7]},
        {"tool_calls": {"a": 1}},
    ],
)
def test_it_names_every_strange_delta_nonsense(delta: dict[str, Any]) -> None:
    with pytest.raises(Nonsense):
        reply_to_event(json.dumps({"choices": [{"delta": delta}]}))


@pytest.mark.parametrize("count", [-1, "7", None, 2**40, 1.5])
def test_it_does_not_believe_strange_token_counts(count: Any) -> None:
    event = {"choices": [{"delta": {"content": "x"}}], "usage": {"prompt_tokens": count}}
    assert reply_to_event(json.dumps(event)).prompt_tokens is None


def test_it_reads_the_message_of_an_error() -> None:
    with pytest.raises(Failed, match=r"^overloaded$"):
        Draft().add(json.dumps({"error": {"message": "overloaded", "code": 5}}))


@pytest.mark.parametrize(
    "error",
    ["root:x:0:0", {"code": 5, "detail": "root:x:0:0"}, {"message": {"inner": "root:x:0:0"}}],
)
def test_it_repeats_nothing_else_of_an_error(error: Any) -> None:
    with pytest.raises(Failed, match=r"^an error without a message$"):
        Draft().add(json.dumps({"error": error}))
