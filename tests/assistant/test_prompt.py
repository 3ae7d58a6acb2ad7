from __future__ import annotations

from typing import Any

import pytest

from assistant.prompt import MOST_HISTORY_ENTRIES, REPLY, read, turns_for
from knowledge.evidence import Evidence
from llm.turns import Completion, ToolCall

RETURNS = Evidence("faq", 1, "怎么申请退货", "7 天内可以退。", 0.8)


def completion(text: str = "", arguments: dict[str, Any] | None = None) -> Completion:
    calls = () if arguments is None else (ToolCall(REPLY.name, arguments),)
    return Completion(text, calls, "fake", None, None, 1)


def test_it_gives_the_model_persona_rules_faqs_history_and_question_in_this_order() -> None:
    turns = turns_for(
        "多久到账",
        persona="你是小店的客服",
        evidence=[RETURNS],
        history=["怎么退", "7 天内可以退。"],
    )
    assert [turn.role for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[0].content.startswith("你是小店的客服")
    assert "问：怎么申请退货\n答：7 天内可以退。" in turns[0].content
    assert turns[-1].content == "多久到账"


def test_it_bounds_the_history_and_begins_it_with_a_question() -> None:
    history = [f"第 {number} 句" for number in range(MOST_HISTORY_ENTRIES + 7)]
    turns = turns_for("然后呢", persona="", evidence=[], history=history)[1:-1]
    assert len(turns) <= MOST_HISTORY_ENTRIES
    assert turns[0].role == "user"
    assert turns[-1].content == history[-1]


def test_it_leaves_out_the_empty_question_before_an_agents_own_words() -> None:
    turns = turns_for("好的", persona="", evidence=[], history=["", "您好，我是李明。"])
    assert [turn.role for turn in turns] == ["system", "assistant", "user"]


def test_it_shows_the_model_a_menu_without_its_links() -> None:
    turns = turns_for(
        "1", persona="", evidence=[], history=["退", '<a href="weixin://x">1. 退货</a>']
    )
    assert turns[2].content == "1. 退货"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"answer": "**可以**", "can_answer": True}, "可以"),
        ({"answer": "可以", "can_answer": "true"}, "可以"),
        ({"answer": "我不知道", "can_answer": False}, ""),
        ({"answer": "我不知道", "can_answer": "False"}, ""),
        ({"answer": "可以"}, ""),
        ({"can_answer": True}, ""),
        ({"answer": 5, "can_answer": True}, ""),
        ({"answer": "  ", "can_answer": True}, ""),
        ({}, ""),
    ],
)
def test_it_reads_the_structured_field_and_leaves_the_unreadable_to_a_person(
    arguments: dict[str, Any], text: str
) -> None:
    assert read(completion(arguments=arguments)).text == text


def test_it_takes_a_plain_text_at_its_word() -> None:
    assert read(completion(text="不能回答也是回答。")).text == "不能回答也是回答。"
