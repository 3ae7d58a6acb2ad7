"""A model with a queue of answers and a list of what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm.errors import ModelError
from llm.turns import Completion, Tool, Turn


class Thinker:
    """Stands where `llm.gateway.complete` stands. A text is a plain answer, a dict the tool's
    arguments.
    """

    def __init__(self, *answers: str | dict[str, Any] | ModelError) -> None:
        self.answers = list(answers)
        self.asked: list[Sequence[Turn]] = []
        self.session_ids: list[str] = []
        self.tools: list[Tool | None] = []

    def __call__(
        self, turns: Sequence[Turn], *, session_id: str, tool: Tool | None = None
    ) -> Completion:
        self.asked.append(turns)
        self.session_ids.append(session_id)
        self.tools.append(tool)
        answer = self.answers.pop(0)
        if isinstance(answer, ModelError):
            raise answer
        is_text = isinstance(answer, str)
        return Completion(answer if is_text else "", None if is_text else answer, "fake", 10, 5, 1)

    @property
    def prompt(self) -> str:
        """All that the model read in its last call."""
        return "\n".join(turn.content for turn in self.asked[-1])
