"""Reading what an endpoint sent, whatever it is: a stream, one ordinary completion, or nonsense."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.text import without_control
from llm.errors import Failed, Nonsense
from llm.turns import Tool

# No answer of a service desk is longer; what comes after it is not read any further.
LONGEST_TEXT = 20_000
LONGEST_ERROR = 200

_THOUGHTS_START, _THOUGHTS_END = "<think>", "</think>"
_FENCE = "```"


@dataclass(frozen=True)
class Reply:
    text: str
    arguments: dict[str, Any] | None
    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass
class Draft:
    """An answer that is still coming in: the one place that knows the foreign shape."""

    tokens: int = 0  # Events that brought something of the answer, or of the thoughts before it.
    is_finished: bool = False
    texts: list[str] = field(default_factory=list)
    tool_name: str = ""
    tool_arguments: list[str] = field(default_factory=list)
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
            self._add_delta(choice.get("delta") or choice.get("message") or {})
            self.is_finished = self.is_finished or bool(choice.get("finish_reason"))

    def _add_delta(self, delta: dict[str, Any]) -> None:
        if content := delta.get("content"):
            self.texts.extend(_texts(content))
        for call in delta.get("tool_calls") or []:
            if not call.get("index"):
                function = call.get("function") or {}
                self.tool_name = self.tool_name or function.get("name") or ""
                self.tool_arguments.append(_written(function.get("arguments") or ""))
        if content or delta.get("tool_calls") or delta.get("reasoning_content"):
            self.tokens += 1

    def reply(self, tool: Tool | None) -> Reply:
        said = _without_thoughts(_whole("".join(self.texts)).strip())
        text = said[:LONGEST_TEXT].rstrip()
        if self.tool_arguments:
            arguments: dict[str, Any] | None = self._called(tool)
        else:
            arguments = _call_in_text(text, tool) if tool else None
            if not text:
                raise Nonsense("no choices or empty text")
        return Reply(
            text, arguments, self._tokens("prompt_tokens"), self._tokens("completion_tokens")
        )

    def _called(self, tool: Tool | None) -> dict[str, Any]:
        if tool is None or self.tool_name != tool.name:
            raise Nonsense("called a tool that it was not given")
        return _object("".join(self.tool_arguments) or "{}")

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


def _call_in_text(text: str, tool: Tool) -> dict[str, Any] | None:
    """The tool's arguments written as text, as models do that were asked so or that know no other
    way.
    """
    inner = _unfenced(text)
    if not inner.startswith("{"):
        return None
    written = _object(inner)
    if tool.name in (written.get("name"), written.get("function")) and isinstance(
        written.get("arguments"), dict
    ):
        return dict(written["arguments"])
    return written if tool.fits(written) else None


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
