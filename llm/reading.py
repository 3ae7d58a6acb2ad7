"""Reading what an endpoint sent, whatever it is: a stream, one ordinary completion, or nonsense."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.text import without_control
from llm.errors import Failed, Nonsense
from llm.turns import Tool, ToolCall

# No answer of a service desk is longer; what comes after it is not read any further.
LONGEST_TEXT = 20_000
LONGEST_ERROR = 200

_THOUGHTS_START, _THOUGHTS_END = "<think>", "</think>"
_FENCE = "```"


@dataclass(frozen=True)
class Reply:
    text: str
    calls: tuple[ToolCall, ...]
    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass
class _DraftOfCall:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def add(self, piece: Mapping[str, Any]) -> None:
        function = piece.get("function") or {}
        self.id = self.id or _string(piece.get("id") or "")
        self.name = self.name or function.get("name") or ""
        self.arguments.append(_written(function.get("arguments") or ""))

    def call(self, tools: Sequence[Tool]) -> ToolCall:
        if self.name not in {tool.name for tool in tools}:
            raise Nonsense("called a tool that it was not given")
        return ToolCall(self.name, _object("".join(self.arguments) or "{}"), self.id or _new_id())


@dataclass
class Draft:
    """An answer that is still coming in: the one place that knows the foreign shape."""

    tokens: int = 0  # Events that brought something of the answer, or of the thoughts before it.
    is_finished: bool = False
    texts: list[str] = field(default_factory=list)
    calls: dict[int, _DraftOfCall] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Add one event of a stream, or a whole completion."""
        try:
            self._add(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise Nonsense("not JSON") from error
        except (AttributeError, KeyError, IndexError, TypeError) as error:
            raise Nonsense(f"unknown shape ({type(error).__name__})") from error

    def _add(self, event: dict[str, Any]) -> None:
        if event.get("error"):
            raise Failed(error_text(event) or "an error without a message")
        if isinstance(event.get("usage"), dict):
            self.usage = event["usage"]
        for choice in (event.get("choices") or [])[:1]:
            if delta := choice.get("delta"):
                self._add_delta(delta)
            else:
                self._add_message(choice.get("message") or {})
            self.is_finished = self.is_finished or bool(choice.get("finish_reason"))

    def _add_message(self, message: dict[str, Any]) -> None:
        """A whole answer at once: its calls have no numbers, their places tell them apart."""
        self._add_said(message)
        for place, call in enumerate(message.get("tool_calls") or []):
            self._add_call(place, call)

    def _add_delta(self, delta: dict[str, Any]) -> None:
        self._add_said(delta)
        for piece in delta.get("tool_calls") or []:
            index = piece.get("index")
            self._add_call(self._place_of(piece) if index is None else index, piece)

    def _add_said(self, delta: dict[str, Any]) -> None:
        if content := delta.get("content"):
            self.texts.extend(_texts(content))
        if content or delta.get("tool_calls") or delta.get("reasoning_content"):
            self.tokens += 1

    def _add_call(self, place: int, piece: dict[str, Any]) -> None:
        self.calls.setdefault(place, _DraftOfCall()).add(piece)

    def _place_of(self, piece: dict[str, Any]) -> int:
        """Which call a piece without a number belongs to: the last one, unless it has another
        id.
        """
        last = max(self.calls, default=0)
        begun = self.calls.get(last)
        is_another = begun is not None and piece.get("id") not in (None, "", begun.id)
        return last + 1 if is_another else last

    def reply(self, tools: Sequence[Tool]) -> Reply:
        said = _without_thoughts(_whole("".join(self.texts)).strip())
        text = said[:LONGEST_TEXT].rstrip()
        if self.calls:
            calls = self._called(tools)
        else:
            calls = _calls_in_text(text, tools)
            if not text:
                raise Nonsense("no choices or empty text")
        return Reply(text, calls, self._tokens("prompt_tokens"), self._tokens("completion_tokens"))

    def _called(self, tools: Sequence[Tool]) -> tuple[ToolCall, ...]:
        """All calls that can be read. The first one must be: it is what most were asked for."""
        first, *others = self.calls.values()
        calls = [first.call(tools)]
        for other in others:
            with contextlib.suppress(Nonsense):
                calls.append(other.call(tools))
        return tuple(calls)

    def _tokens(self, name: str) -> int | None:
        count = self.usage.get(name)
        return count if isinstance(count, int) and 0 <= count < 2**31 else None


def error_text(body: Any) -> str:
    """`error.message` of an error body, and nothing else: the page may be of a server that is none
    of ours.

    Not cut yet: half a key would no longer be found in it.
    """
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else ""


def _texts(content: str | list[dict[str, Any]]) -> Iterator[str]:
    """`content` is a string, or parts of which those of kind text count."""
    if isinstance(content, str):
        yield content
        return
    for part in content:
        if part.get("type") == "text":
            yield _string(part["text"])


def _written(arguments: object) -> str:
    """Some endpoints send the object itself, not its JSON."""
    return json.dumps(arguments) if isinstance(arguments, dict) else _string(arguments)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _calls_in_text(text: str, tools: Sequence[Tool]) -> tuple[ToolCall, ...]:
    """A tool's arguments written as text, as models do that were asked so or that know no other
    way.
    """
    inner = _unfenced(text) if tools else ""
    if not inner.startswith("{"):
        return ()
    written = _object(inner)
    for tool in tools:
        if (arguments := _arguments_in(written, tool)) is not None:
            return (ToolCall(tool.name, arguments, _new_id()),)
    return ()


def _arguments_in(written: dict[str, Any], tool: Tool) -> dict[str, Any] | None:
    """The object that was written is a call of the tool by its name, or the arguments alone."""
    is_named = tool.name in (written.get("name"), written.get("function"))
    if is_named and isinstance(written.get("arguments"), dict):
        return dict(written["arguments"])
    return written if tool.fits(written) else None


def _new_id() -> str:
    """For a call that came without one."""
    return f"call_{secrets.token_hex(8)}"


def _without_thoughts(text: str) -> str:
    """`text` without what the model thought aloud before its answer."""
    if not text.startswith(_THOUGHTS_START):
        return text
    _, end, answer = text.partition(_THOUGHTS_END)
    return answer.strip() if end else text


def _unfenced(text: str) -> str:
    """What stands inside the fence that some models put around JSON."""
    both_marks = 2 * len(_FENCE)
    is_fenced = len(text) >= both_marks and text.startswith(_FENCE) and text.endswith(_FENCE)
    if not is_fenced:
        return text
    return text.removeprefix(_FENCE).removesuffix(_FENCE).removeprefix("json").strip()


def _object(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
        json.dumps(
            read, ensure_ascii=False
        ).encode()  # Half a surrogate pair would break the database later.
    except (ValueError, RecursionError) as error:
        raise Nonsense("broken JSON in the arguments") from error
    if not isinstance(read, dict):
        raise Nonsense("the arguments are not an object")
    return read


def _whole(text: str) -> str:
    """`text` with surrogate pairs joined that came in two pieces, and without what no text may
    hold.
    """
    return without_control(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
