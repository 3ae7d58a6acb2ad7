"""What is asked of a language model, and what comes back: the types that cross the border of this
package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Turn:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Tool:
    """A structured way to answer that the model may choose instead of text."""

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
class Completion:
    """`arguments` are the tool's when the model called it, else None and `text` is the answer."""

    text: str
    arguments: dict[str, Any] | None
    model_name: str
    prompt_tokens: int | None
    completion_tokens: int | None
    language_model_id: int
