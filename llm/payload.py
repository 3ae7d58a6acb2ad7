"""The body of a request, and what an endpoint turned out not to take.

Not every OpenAI-compatible endpoint knows every parameter: some refuse tools, the usage report or
`user`, OpenAI's own newer models refuse `max_tokens` and `temperature`. What is refused once is
left out from then on (`LanguageModel.left_out`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from llm.models import LanguageModel
from llm.turns import Tool, Turn

# How an answer in a structure is asked for, the surest way first. Without any the wish stands in
# words alone.
FUNCTION_NAMED = "tool_choice.function"
FUNCTION_REQUIRED = "tool_choice.required"
JSON_SCHEMA = "response_format.json_schema"
JSON_OBJECT = "response_format.json_object"
FORMS = (FUNCTION_NAMED, FUNCTION_REQUIRED, JSON_SCHEMA, JSON_OBJECT)
_WITH_TOOLS = frozenset({FUNCTION_NAMED, FUNCTION_REQUIRED})

# Parameters that an endpoint may refuse, and how its refusal names them.
OPTIONAL = {
    FUNCTION_NAMED: re.compile(r"tool_?choice", re.I),
    FUNCTION_REQUIRED: re.compile(r"tool_?choice", re.I),
    "tools": re.compile(r"tool|function", re.I),
    JSON_SCHEMA: re.compile(r"response_?format|json_?schema", re.I),
    JSON_OBJECT: re.compile(r"response_?format|json_?object", re.I),
    "stream_options": re.compile(r"stream_options|include_usage"),
    "max_tokens": re.compile(r"max_completion_tokens"),
    "temperature": re.compile(r"temperature"),
    "user": re.compile(r"""["'`]user["'`]"""),
}
# A refusal that names nothing: what plain chat can do without.
_LUXURIES = frozenset({"tools", JSON_SCHEMA, JSON_OBJECT, "stream_options", "user"})

_ASK_FOR_JSON = (
    "\n\nAnswer by calling the function `{name}`: {description}\n"
    "To call it, write one JSON object with its arguments and nothing else. JSON schema of the "
    "arguments:\n{schema}"
)


@dataclass(frozen=True)
class Request:
    turns: tuple[Turn, ...]
    session_id: str
    tool: Tool | None = None
    # The caller's, for our own log: no endpoint sees it.
    key: str = ""


def body(request: Request, model: LanguageModel, refused: Set[str]) -> bytes:
    wanted: dict[str, Any] = {
        "temperature": {"temperature": model.temperature},
        "max_tokens": {"max_tokens": model.max_tokens},
        "stream_options": {"stream_options": {"include_usage": True}},
        "user": {"user": request.session_id} if request.session_id else {},
    }
    form = _form(request, refused)
    sent: dict[str, Any] = {
        "model": model.model,
        "messages": _messages(request, form),
        "stream": True,
    }
    for name, parameters in wanted.items():
        if name not in refused:
            sent |= parameters
    if request.tool and form:
        sent |= _asking(request.tool, form)
    if "max_tokens" in refused:
        sent["max_completion_tokens"] = model.max_tokens
    return json.dumps(sent, ensure_ascii=False).encode("utf-8", "replace")


def newly_refused(text: str, request: Request, refused: Set[str]) -> frozenset[str]:
    """What to leave out after a refusal with this text; empty when there is nothing left to leave
    out.
    """
    form = _form(request, refused)
    others = set(OPTIONAL) - refused - set(FORMS) - {"tools"}
    if form is not None and OPTIONAL[form].search(text):
        return frozenset({form})  # This way is not taken; the next one may be.
    sent = others | ({"tools"} if form in _WITH_TOOLS else set())
    named = {name for name in sent if OPTIONAL[name].search(text)}
    if named:
        return frozenset(named)
    forms = {"tools", JSON_SCHEMA, JSON_OBJECT} - refused if form else set()
    return frozenset(_LUXURIES & (others | forms))


def names(text: str, parameters: Set[str]) -> bool:
    """Whether a refusal with this text speaks of one of them. Else to leave them out is a guess."""
    return any(OPTIONAL[name].search(text) for name in parameters)


def _form(request: Request, refused: Set[str]) -> str | None:
    """The surest way to ask for the structure that this endpoint is not known to refuse."""
    if request.tool is None:
        return None
    without_tools = _WITH_TOOLS if "tools" in refused else frozenset()
    return next((form for form in FORMS if form not in refused and form not in without_tools), None)


def _asking(tool: Tool, form: str) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    tools = [{"type": "function", "function": function}]
    if form == FUNCTION_NAMED:
        return {
            "tools": tools,
            "tool_choice": {"type": "function", "function": {"name": tool.name}},
        }
    if form == FUNCTION_REQUIRED:
        return {"tools": tools, "tool_choice": "required"}
    if form == JSON_SCHEMA:
        schema = {"name": tool.name, "schema": dict(tool.parameters)}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"response_format": {"type": "json_object"}}


def _messages(request: Request, form: str | None) -> list[dict[str, str]]:
    messages = [{"role": turn.role, "content": turn.content} for turn in request.turns]
    if request.tool is None or form in _WITH_TOOLS:
        return messages
    wish = _ASK_FOR_JSON.format(
        name=request.tool.name,
        description=request.tool.description,
        schema=json.dumps(dict(request.tool.parameters), ensure_ascii=False),
    )
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": messages[0]["content"] + wish}, *messages[1:]]
    return [{"role": "system", "content": wish.strip()}, *messages]
