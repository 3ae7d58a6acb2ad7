"""A language model in place of `llm.gateway.complete`: a queue of answers, and what it was asked.

`ModelStub("七天内可以退货。", NoModel())` answers once and fails once; a third question is an error
of the test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llm.errors import ModelError
from llm.turns import ChatTurn, Completion, Tool, ToolCall

# A text is a plain answer, a dict the arguments of a call of the first tool, an error is raised.
Scripted = str | dict[str, Any] | ModelError


class ModelStub:
    """`meanwhile` happens while it thinks."""

    def __init__(self, *answers: Scripted, meanwhile: Callable[[], object] | None = None) -> None:
        self.answers = list(answers)
        self.meanwhile = meanwhile
        self.asked: list[Sequence[ChatTurn]] = []
        self.session_ids: list[str] = []
        self.keys: list[str] = []
        self.tools: list[Sequence[Tool]] = []

    def __call__(
        self, turns: Sequence[ChatTurn], *, session_id: str, key: str, tools: Sequence[Tool] = ()
    ) -> Completion:
        if self.meanwhile is not None:
            self.meanwhile()
        self.asked.append(turns)
        self.session_ids.append(session_id)
        self.keys.append(key)
        self.tools.append(tools)
        return _completion(self.answers.pop(0), tools)

    @property
    def prompt(self) -> str:
        """All that the model read in its last call."""
        return "\n".join(turn.content for turn in self.asked[-1])


def _completion(answer: Scripted, tools: Sequence[Tool]) -> Completion:
    if isinstance(answer, ModelError):
        raise answer
    if isinstance(answer, str):
        return Completion(answer, (), "fake", 10, 5, 1)
    return Completion("", (ToolCall(tools[0].name, answer, "call_1"),), "fake", 10, 5, 1)
