"""The body of a request, and what an endpoint turned out not to take.

Not every OpenAI-compatible endpoint knows every parameter: some refuse tools, the usage report or
`user`, OpenAI's own newer models refuse `max_tokens` and `temperature`. What is refused once is
left out from then on (`LanguageModel.left_out`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from llm.models import LanguageModel
from llm.turns import ChatTurn, Tool, ToolCall

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
_ASK_FOR_ONE_OF = (
    "\n\nAnswer by calling one of these functions. To call it, write one JSON object and nothing "
    'else: {{"name": the function, "arguments": an object that fits its JSON schema}}\n{functions}'
)


@dataclass(frozen=True)
class Request:
    turns: tuple[ChatTurn, ...]
    session_id: str
    tools: Sequence[Tool] = ()
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
    if form:
        sent |= _asking(request.tools, form)
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
    if not request.tools:
        return None
    impossible = set(refused)
    if "tools" in refused:
        impossible |= _WITH_TOOLS
    if len(request.tools) > 1:
        impossible.add(FUNCTION_NAMED)
    return next((form for form in FORMS if form not in impossible), None)


def _asking(tools: Sequence[Tool], form: str) -> dict[str, Any]:
    if form == FUNCTION_NAMED:
        named = {"type": "function", "function": {"name": tools[0].name}}
        return {"tools": _functions(tools), "tool_choice": named}
    if form == FUNCTION_REQUIRED:
        return {"tools": _functions(tools), "tool_choice": "required"}
    if form == JSON_SCHEMA:
        return {"response_format": {"type": "json_schema", "json_schema": _schema(tools)}}
    return {"response_format": {"type": "json_object"}}


def _functions(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in tools
    ]


def _schema(tools: Sequence[Tool]) -> dict[str, Any]:
    """What the answer looks like: one tool's arguments, or which of several is called with what."""
    if len(tools) == 1:
        return {"name": tools[0].name, "schema": dict(tools[0].parameters)}
    properties = {
        "name": {"type": "string", "enum": [tool.name for tool in tools]},
        "arguments": {"type": "object"},
    }
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": "call", "schema": schema}


def _messages(request: Request, form: str | None) -> list[dict[str, Any]]:
    if not request.tools or form in _WITH_TOOLS:
        return [_message(turn) for turn in request.turns]
    wish = _wish(request.tools)
    messages = _messages_in_words(request.turns)
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": messages[0]["content"] + wish}, *messages[1:]]
    return [{"role": "system", "content": wish.strip()}, *messages]


def _message(turn: ChatTurn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.calls:
        message["tool_calls"] = [_call(call) for call in turn.calls]
    if turn.call_id:
        message["tool_call_id"] = turn.call_id
    return message


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": _json(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _messages_in_words(turns: Sequence[ChatTurn]) -> list[dict[str, Any]]:
    """For an endpoint without tools: calls as the JSON that they were, results as the user's
    words.
    """
    names: dict[str, str] = {}
    messages: list[dict[str, Any]] = []
    for turn in turns:
        names |= {call.id: call.name for call in turn.calls}
        if turn.role == "tool":
            result = f"Result of `{names.get(turn.call_id, '')}`:\n{turn.content}"
            messages.append({"role": "user", "content": result})
        else:
            calls = [_json({"name": call.name, "arguments": call.arguments}) for call in turn.calls]
            content = "\n".join(filter(None, [turn.content, *calls]))
            messages.append({"role": turn.role, "content": content})
    return messages


def _wish(tools: Sequence[Tool]) -> str:
    if len(tools) > 1:
        functions = "\n".join(
            f"`{tool.name}`: {tool.description}\n{_json(tool.parameters)}" for tool in tools
        )
        return _ASK_FOR_ONE_OF.format(functions=functions)
    [tool] = tools
    return _ASK_FOR_JSON.format(
        name=tool.name, description=tool.description, schema=_json(tool.parameters)
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)
