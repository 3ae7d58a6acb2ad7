"""What is asked of a language model, and what comes back: the types that cross the border of this
package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Tool:
    """A function that the model may call instead of answering in text."""

    name: str
    description: str
    parameters: Mapping[str, Any]  # JSON schema of an object

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Do these look like the tool's arguments? All that are required are there, and none is
        foreign.
        """
        known = set(self.parameters.get("properties", {}))
        return set(self.parameters.get("required", ())) <= set(arguments) <= known


@dataclass(frozen=True)
class ToolCall:
    """A model's call of a tool. A turn of the role "tool" answers it under its `id`."""

    name: str
    arguments: dict[str, Any]
    id: str = ""


@dataclass(frozen=True)
class ChatTurn:
    """One entry of a chat with a model.

    `calls` are the tools that a turn of the assistant called; `call_id` is the call whose result a
    turn of the role "tool" holds.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True)
class Completion:
    """What a model said: the tools that it called, in its order, or `text` where it called none."""

    text: str
    calls: tuple[ToolCall, ...]
    model_name: str
    prompt_tokens: int | None
    completion_tokens: int | None
    language_model_id: int

    def call_of(self, tool: Tool) -> ToolCall | None:
        """The first call of this tool."""
        return next((call for call in self.calls if call.name == tool.name), None)

    def as_turn(self) -> ChatTurn:
        """The same as an entry of the chat, for the question that follows the tools' results."""
        return ChatTurn("assistant", self.text, self.calls)
