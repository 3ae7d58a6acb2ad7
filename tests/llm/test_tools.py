"""The model says in a structured way that it cannot answer, whichever way its endpoint takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from common.fresh import forget_all
from llm import gateway
from llm.errors import ModelsDown
from llm.models import LanguageModel, ModelCall, Outcome
from llm.turns import ChatTurn, Completion, Tool
from tests.llm.builders import row_for
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ASK = (ChatTurn("system", "你是客服。"), ChatTurn("user", "明天会下雨吗？"))
CANNOT = Tool(
    "cannot_answer",
    "Call this when the answer is not known.",
    {"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]},
)


def called(completion: Completion) -> dict[str, Any] | None:
    """The arguments of the tool, if the model called it."""
    call = completion.call_of(CANNOT)
    return call and call.arguments


def refused() -> list[str]:
    return list(LanguageModel.objects.get().refused_parameters)


def test_it_sends_the_tool_and_names_the_function_to_call(first: ModelServer) -> None:
    row_for(first)
    assert gateway.complete(ASK, session_id="", tools=[CANNOT]).text == "第一个模型的回答。"
    body = first.asked[0].body
    assert body["tool_choice"] == {"type": "function", "function": {"name": "cannot_answer"}}
    assert body["tools"][0]["function"] == {
        "name": "cannot_answer",
        "description": CANNOT.description,
        "parameters": CANNOT.parameters,
    }


def form_of(body: dict[str, Any]) -> object:
    """How the request asks for the structure."""
    choice = body.get("tool_choice") or body.get("response_format", {}).get("type")
    return choice if isinstance(choice, str | None) else "named"


@pytest.mark.parametrize(
    ("taken", "forms"),
    [
        ({"named"}, ["named"]),
        ({"required"}, ["named", "required"]),
        ({"json_schema"}, ["named", "required", "json_schema"]),
        ({"json_object"}, ["named", "required", "json_schema", "json_object"]),
        (set(), ["named", "required", "json_schema", "json_object", None]),
    ],
)
def test_it_tries_the_surest_form_first_and_remembers_what_is_taken(
    first: ModelServer, taken: set[str], forms: list[object]
) -> None:
    row_for(first)
    first.manner.arguments = {"reason": "不知道天气"}
    first.manner.forms = taken
    first.behave(otherwise="some forms")
    for _ in range(2):
        forget_all()  # As a new process would begin.
        completion = gateway.complete(ASK, session_id="", tools=[CANNOT])
        assert called(completion) == {"reason": "不知道天气"}
    assert [form_of(asked.body) for asked in first.asked] == [*forms, forms[-1]]


def test_it_tries_again_what_was_refused_long_ago(first: ModelServer) -> None:
    row_for(first)
    first.behave("refuse tools")
    gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert "tools" not in first.asked[-1].body
    LanguageModel.objects.update(refused_at=timezone.now() - timedelta(days=8))
    forget_all()
    gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert form_of(first.asked[-1].body) == "named"


def test_it_reads_a_call_that_comes_in_pieces(first: ModelServer) -> None:
    row_for(first)
    first.manner.arguments = {"reason": "不知道天气"}
    first.behave("tool")
    completion = gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert (completion.text, called(completion)) == ("", {"reason": "不知道天气"})


def test_it_takes_arguments_that_are_no_text(first: ModelServer) -> None:
    row_for(first)
    first.manner.arguments = {"reason": "不知道天气"}
    first.behave("object for arguments")
    assert called(gateway.complete(ASK, session_id="", tools=[CANNOT])) == {"reason": "不知道天气"}


def test_it_takes_plain_text_at_its_word(first: ModelServer) -> None:
    row_for(first)
    completion = gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert (completion.text, called(completion)) == ("第一个模型的回答。", None)


def test_it_asks_the_next_model_when_the_arguments_are_broken(
    first: ModelServer, second: ModelServer
) -> None:
    row_for(first, "a", position=1)
    row_for(second, "b", position=2)
    first.behave("broken tool")
    assert gateway.complete(ASK, session_id="", tools=[CANNOT]).text == "第二个模型的回答。"
    assert ModelCall.objects.get(model="a-chat").outcome == Outcome.NONSENSE


def test_it_asks_again_without_tools_and_remembers(first: ModelServer) -> None:
    row_for(first)
    first.behave(otherwise="refuse tools")
    for _ in range(2):
        assert gateway.complete(ASK, session_id="", tools=[CANNOT]).text == "第一个模型的回答。"
    assert ["tools" in asked.body for asked in first.asked] == [True, False, False]
    assert refused() == ["tools"]
    outcomes = list(ModelCall.objects.order_by("pk").values_list("outcome", flat=True))
    assert outcomes == [Outcome.REFUSED, Outcome.OK, Outcome.OK]


def test_it_wishes_json_in_words_where_tools_are_refused(first: ModelServer) -> None:
    row_for(first)
    first.manner.arguments = {"reason": "不知道天气"}
    first.behave(otherwise="tool in words")
    completion = gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert called(completion) == {"reason": "不知道天气"}
    (system, user) = first.asked[-1].body["messages"]
    assert system["content"].startswith("你是客服。")
    assert "cannot_answer" in system["content"]
    assert '"reason"' in system["content"]
    assert user["content"] == "明天会下雨吗？"


def test_it_writes_a_system_turn_for_the_wish_when_there_is_none(first: ModelServer) -> None:
    row_for(first, refused_parameters=["tools"])
    gateway.complete((ChatTurn("user", "您好"),), session_id="", tools=[CANNOT])
    assert [message["role"] for message in first.asked[0].body["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    "text",
    [
        '{"reason": "x"}',
        '```json\n{"reason": "x"}\n```',
        '{"name": "cannot_answer", "arguments": {"reason": "x"}}',
        '<think>让我想想 {</think>\n{"reason": "x"}',
    ],
)
def test_it_reads_arguments_that_a_model_writes_as_text(first: ModelServer, text: str) -> None:
    row_for(first)
    first.manner.answer = text
    assert called(gateway.complete(ASK, session_id="", tools=[CANNOT])) == {"reason": "x"}


def test_it_does_not_take_other_json_for_the_tool(first: ModelServer) -> None:
    row_for(first)
    first.manner.answer = '{"price": 5}'
    completion = gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert (completion.text, called(completion)) == ('{"price": 5}', None)


def test_it_takes_half_an_object_for_nonsense(first: ModelServer) -> None:
    row_for(first)
    first.manner.answer = '{"reason": "x'
    with pytest.raises(ModelsDown, match="broken JSON"):
        gateway.complete(ASK, session_id="", tools=[CANNOT])


def test_it_takes_a_call_of_a_tool_nobody_gave_for_nonsense(
    first: ModelServer, second: ModelServer
) -> None:
    row_for(first, "a", position=1)
    row_for(second, "b", position=2)
    first.behave("foreign tool")
    assert gateway.complete(ASK, session_id="", tools=[CANNOT]).text == "第二个模型的回答。"


def test_it_leaves_the_usage_report_out_where_it_is_refused(first: ModelServer) -> None:
    row_for(first)
    first.behave(otherwise="refuse usage")
    completion = gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert (completion.text, completion.prompt_tokens) == ("第一个模型的回答。", None)
    assert refused() == ["stream_options"]
    assert "tools" in first.asked[-1].body


def test_it_asks_plainly_when_a_refusal_names_nothing(first: ModelServer) -> None:
    row_for(first)
    first.behave(otherwise="plain only")
    for _ in range(2):
        assert gateway.complete(ASK, session_id="s", tools=[CANNOT]).text == "第一个模型的回答。"
    assert first.calls == 3
    assert refused() == [
        "response_format.json_object",
        "response_format.json_schema",
        "stream_options",
        "tools",
        "user",
    ]


def test_one_bad_minute_switches_nothing_off_for_the_week(first: ModelServer) -> None:
    row_for(first)
    first.behave("plain only")
    gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert form_of(first.asked[-1].body) is None
    LanguageModel.objects.update(refused_at=F("refused_at") - timedelta(hours=1))
    forget_all()
    gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert form_of(first.asked[-1].body) == "named"


def test_what_an_endpoint_says_that_it_refuses_is_remembered_for_days(first: ModelServer) -> None:
    row_for(first)
    first.behave("refuse tools")
    gateway.complete(ASK, session_id="", tools=[CANNOT])
    LanguageModel.objects.update(refused_at=F("refused_at") - timedelta(days=6))
    forget_all()
    gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert "tools" not in first.asked[-1].body


def test_it_speaks_to_models_with_other_names_for_the_limit(first: ModelServer) -> None:
    row_for(first, max_tokens=321)
    first.behave(otherwise="new parameters")
    gateway.complete(ASK, session_id="")
    body = first.asked[-1].body
    assert body["max_completion_tokens"] == 321
    assert not {"max_tokens", "temperature"} & set(body)
    assert refused() == ["max_tokens", "temperature"]


def test_it_remembers_nothing_when_the_plain_question_is_refused_too(first: ModelServer) -> None:
    row_for(first)
    first.behave(otherwise="400")
    with pytest.raises(ModelsDown):
        gateway.complete(ASK, session_id="", tools=[CANNOT])
    assert first.calls == 2
    assert refused() == []
