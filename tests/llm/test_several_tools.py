"""What a caller needs that lets a model use tools until it answers: several tools, all of a model's
calls, and their results told back.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm.errors import Nonsense
from llm.models import LanguageModel
from llm.payload import (
    FUNCTION_NAMED,
    FUNCTION_REQUIRED,
    JSON_OBJECT,
    JSON_SCHEMA,
    Request,
    body,
)
from llm.reading import Draft
from llm.turns import ChatTurn, Completion, Tool, ToolCall

ORDER = Tool(
    "order",
    "State of an order.",
    {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
)
REPLY = Tool(
    "reply",
    "Answer the customer.",
    {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]},
)
TOOLS = (ORDER, REPLY)
ASKED = (ChatTurn("system", "你是客服。"), ChatTurn("user", "A1 和 A2 到哪了？"))
CALLS = (ToolCall("order", {"number": "A1"}, "c1"), ToolCall("order", {"number": "A2"}, "c2"))


def sent(*turns: ChatTurn, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    model = LanguageModel(model="m", temperature=0.7, max_tokens=500)
    read: dict[str, Any] = json.loads(body(Request((*ASKED, *turns), "s", TOOLS), model, without))
    return read


def piece(index: int | None, arguments: str, **more: str) -> dict[str, Any]:
    call = {"function": {"name": more.get("name", ""), "arguments": arguments}}
    return (
        call
        | {key: more[key] for key in ("id",) if key in more}
        | ({} if index is None else {"index": index})
    )


def read(*pieces: dict[str, Any], key: str = "delta") -> tuple[ToolCall, ...]:
    """The calls of a stream of these pieces, or of one whole message that holds them."""
    draft = Draft()
    for calls in [pieces] if key == "message" else [[one] for one in pieces]:
        draft.add(json.dumps({"choices": [{key: {"tool_calls": calls}}]}))
    return draft.reply(TOOLS).calls


class TestAsking:
    def test_one_of_the_functions_must_be_called(self) -> None:
        request = sent()
        assert [tool["function"]["name"] for tool in request["tools"]] == ["order", "reply"]
        assert request["tool_choice"] == "required"

    def test_an_endpoint_without_tools_is_told_which_it_may_name(self) -> None:
        request = sent(without=frozenset({FUNCTION_NAMED, FUNCTION_REQUIRED}))
        schema = request["response_format"]["json_schema"]["schema"]
        assert schema["properties"]["name"]["enum"] == ["order", "reply"]
        system = request["messages"][0]["content"]
        assert system.startswith("你是客服。")
        assert all(f"`{tool.name}`: {tool.description}" in system for tool in TOOLS)


class TestTheResults:
    ROUND = (
        ChatTurn("assistant", "", CALLS),
        ChatTurn("tool", "已发货", call_id="c1"),
        ChatTurn("tool", "待付款", call_id="c2"),
    )

    def test_they_go_back_under_the_calls_that_asked_for_them(self) -> None:
        *_, called, first, second = sent(*self.ROUND)["messages"]
        assert [call["id"] for call in called["tool_calls"]] == ["c1", "c2"]
        assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == {"number": "A1"}
        assert first == {"role": "tool", "content": "已发货", "tool_call_id": "c1"}
        assert second["tool_call_id"] == "c2"

    def test_an_endpoint_without_tools_reads_them_as_words(self) -> None:
        without = frozenset({FUNCTION_REQUIRED, JSON_SCHEMA, JSON_OBJECT})
        *_, called, first, _second = sent(*self.ROUND, without=without)["messages"]
        assert "tool_calls" not in called
        assert json.loads(called["content"].splitlines()[1]) == {
            "name": "order",
            "arguments": {"number": "A2"},
        }
        assert first == {"role": "user", "content": "Result of `order`:\n已发货"}

    def test_a_completion_is_the_turn_that_they_follow(self) -> None:
        said = Completion("", CALLS, "m", None, None, 1)
        assert said.as_turn() == self.ROUND[0]
        assert said.call_of(ORDER) == CALLS[0]
        assert said.call_of(REPLY) is None


class TestTheCalls:
    def test_all_are_read_from_a_stream(self) -> None:
        calls = read(
            piece(0, '{"number":', id="c1", name="order"),
            piece(1, "", id="c2", name="order"),
            piece(0, '"A1"}'),
            piece(1, '{"number":"A2"}'),
        )
        assert calls == CALLS

    def test_all_are_read_from_a_whole_message(self) -> None:
        calls = read(
            piece(None, '{"number":"A1"}', id="c1", name="order"),
            piece(None, '{"number":"A2"}', id="c2", name="order"),
            key="message",
        )
        assert calls == CALLS

    def test_their_ids_tell_them_apart_where_a_stream_does_not_number_them(self) -> None:
        calls = read(
            piece(None, '{"number":', id="c1", name="order"),
            piece(None, '"A1"}'),
            piece(None, '{"number":"A2"}', id="c2", name="order"),
        )
        assert calls == CALLS

    def test_one_without_an_id_gets_one(self) -> None:
        [call] = read(piece(0, '{"answer":"好"}', name="reply"))
        assert call.id

    @pytest.mark.parametrize("bad", [piece(1, '{"num', name="order"), piece(1, "{}", name="pay")])
    def test_a_later_one_that_cannot_be_read_is_left_out(self, bad: dict[str, Any]) -> None:
        good = piece(0, '{"number":"A1"}', id="c1", name="order")
        assert read(good, bad) == CALLS[:1]

    def test_the_first_one_must_be_readable(self) -> None:
        with pytest.raises(Nonsense):
            read(piece(0, "{}", name="pay"), piece(1, '{"number":"A1"}', name="order"))

    def test_one_in_words_is_known_by_its_name_or_by_its_arguments(self) -> None:
        for text in ('{"name":"order","arguments":{"number":"A1"}}', '{"number":"A1"}'):
            draft = Draft()
            draft.add(json.dumps({"choices": [{"message": {"content": text}}]}))
            [call] = draft.reply(TOOLS).calls
            assert (call.name, call.arguments) == ("order", {"number": "A1"})
