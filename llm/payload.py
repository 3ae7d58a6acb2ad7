"""The body of a request, and what an endpoint turned out not to take.

Not every OpenAI-compatible endpoint knows every parameter: some refuse tools, the usage report or `user`, OpenAI's own
newer models refuse `max_tokens` and `temperature`. What is refused once is left out from then on
(`LanguageModel.refused_parameters`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from llm.models import LanguageModel
from llm.turns import Tool, Turn

# Parameters that an endpoint may refuse, and how its refusal names them.
OPTIONAL = {
    "tools": re.compile(r"tool|function", re.I),
    "stream_options": re.compile(r"stream_options|include_usage"),
    "max_tokens": re.compile(r"max_completion_tokens"),
    "temperature": re.compile(r"temperature"),
    "user": re.compile(r"""["'`]user["'`]"""),
}
# A refusal that names nothing: what plain chat can do without.
_LUXURIES = frozenset({"tools", "stream_options", "user"})

_ASK_FOR_JSON = (
    "\n\nInstead of an ordinary answer you may call the function `{name}`: {description}\n"
    "To call it, write one JSON object with its arguments and nothing else. JSON schema of the arguments:\n{schema}"
)


@dataclass(frozen=True)
class Request:
    turns: tuple[Turn, ...]
    session_id: str
    tool: Tool | None = None


def body(request: Request, model: LanguageModel, refused: Set[str]) -> bytes:
    wanted: dict[str, Any] = {
        "temperature": {"temperature": model.temperature},
        "max_tokens": {"max_tokens": model.max_tokens},
        "stream_options": {"stream_options": {"include_usage": True}},
        "user": {"user": request.session_id} if request.session_id else {},
        "tools": _tools(request.tool) if request.tool else {},
    }
    sent: dict[str, Any] = {"model": model.model, "messages": _messages(request, refused), "stream": True}
    for name, parameters in wanted.items():
        if name not in refused:
            sent |= parameters
    if "max_tokens" in refused:
        sent["max_completion_tokens"] = model.max_tokens
    return json.dumps(sent, ensure_ascii=False).encode("utf-8", "replace")


def newly_refused(text: str, request: Request, refused: Set[str]) -> frozenset[str]:
    """What to leave out after a refusal with this text; empty when there is nothing left to leave out."""
    sent = set(OPTIONAL) - refused - (set() if request.tool else {"tools"})
    named = {name for name in sent if OPTIONAL[name].search(text)}
    return frozenset(named or (_LUXURIES & sent))


def _tools(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"tools": [{"type": "function", "function": function}], "tool_choice": "auto"}


def _messages(request: Request, refused: Set[str]) -> list[dict[str, str]]:
    messages = [{"role": turn.role, "content": turn.content} for turn in request.turns]
    if request.tool is None or "tools" not in refused:
        return messages
    wish = _ASK_FOR_JSON.format(
        name=request.tool.name,
        description=request.tool.description,
        schema=json.dumps(dict(request.tool.parameters), ensure_ascii=False),
    )
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": messages[0]["content"] + wish}, *messages[1:]]
    return [{"role": "system", "content": wish.strip()}, *messages]
