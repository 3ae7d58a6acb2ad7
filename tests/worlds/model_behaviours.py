"""What the model server can do: one function for each way to answer, or to fail."""

from __future__ import annotations

import asyncio
import json
import math
import random
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Call"], Awaitable[None]]
BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    def enter(function: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = function
        return function

    return enter


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return "\n".join(str(message["content"]) for message in self.body["messages"])

    @property
    def last(self) -> str:
        return str(self.body["messages"][-1]["content"])


@dataclass
class Manner:
    """How it answers when nothing else is said."""

    answer: str = "您好，这是模型的回答。"
    seconds: float = 0.0
    chunks: int = 10
    lognormal: tuple[float, float] | None = None  # median and 95th percentile of `seconds`
    arguments: dict[str, Any] | None = None  # of tool calls; else made up from the tool's schema
    forms: set[str] = field(default_factory=set)  # that "some forms" takes
    queue: deque[str] = field(default_factory=deque)
    otherwise: str = "answer"
    may_speak: threading.Event = field(default_factory=threading.Event)  # of "when told"
    drawn: list[float] = field(default_factory=list)  # how long it thought, each time

    def draw_seconds(self) -> float:
        self.drawn.append(self._draw())
        return self.drawn[-1]

    def _draw(self) -> float:
        if self.lognormal is None:
            return self.seconds
        median, p95 = self.lognormal
        return random.lognormvariate(math.log(median), math.log(p95 / median) / 1.645)


class Call:
    """One request under way and the connection to answer on."""

    def __init__(
        self,
        asked: Asked,
        manner: Manner,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.asked, self.manner, self.reader, self.writer = asked, manner, reader, writer

    def send(self, status: int, body: str | bytes, content_type: str = "application/json") -> None:
        content = body.encode() if isinstance(body, str) else body
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: "
            f"{len(content)}\r\n\r\n"
        )
        self.writer.write(head.encode() + content)

    def refuse(self, status: int, message: str, **more: str) -> None:
        self.send(status, json.dumps({"error": {"message": message, "type": "fake", **more}}))

    def start_stream(self) -> None:
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
            "chunked\r\n\r\n"
        )
        self.writer.write(head.encode())

    def raw(self, content: bytes) -> None:
        self.writer.write(b"%x\r\n%b\r\n" % (len(content), content))

    def event(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.raw(
            b"data: "
            + json.dumps(self.envelope(choices=[choice]), ensure_ascii=False).encode()
            + b"\n\n"
        )

    def end_stream(self) -> None:
        if (self.asked.body.get("stream_options") or {}).get("include_usage"):
            usage = json.dumps(self.envelope(choices=[], usage=self.usage()))
            self.raw(b"data: " + usage.encode() + b"\n\n")
        self.raw(b"data: [DONE]\n\n")
        self.writer.write(b"0\r\n\r\n")

    def envelope(self, **more: Any) -> dict[str, Any]:
        name = self.asked.body.get("model", "")
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": name,
            **more,
        }

    def usage(self) -> dict[str, int]:
        return {"prompt_tokens": len(self.asked.prompt), "completion_tokens": 7, "total_tokens": 7}

    async def cut(self) -> None:
        """End the connection in the middle."""
        await self.writer.drain()
        self.writer.close()

    def tool_arguments(self) -> dict[str, Any]:
        if self.manner.arguments is not None:
            return self.manner.arguments
        schema = (
            self.asked.body["tools"][0]["function"]["parameters"]
            if self.asked.body.get("tools")
            else {}
        )
        return {name: _made_up(kind) for name, kind in schema.get("properties", {}).items()}


def _made_up(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return {"boolean": False, "integer": 0, "number": 0, "array": [], "object": {}}.get(
        schema.get("type", ""), "不知道"
    )


@behaviour("answer")
async def answer(call: Call) -> None:
    await stream(call, call.manner.answer)


@behaviour("when told")
async def when_told(call: Call) -> None:
    """Thinks until the test lets it speak."""
    while not call.manner.may_speak.is_set():
        await asyncio.sleep(0.02)
    if not call.reader.at_eof():  # Else who asked was killed meanwhile.
        await stream(call, call.manner.answer)


@behaviour("echo")
async def echo(call: Call) -> None:
    await stream(call, call.asked.last)


async def stream(call: Call, text: str) -> None:
    chunks = max(1, call.manner.chunks)
    pause = call.manner.draw_seconds() / chunks
    step = max(1, math.ceil(len(text) / chunks))
    if not call.asked.body.get("stream"):
        await asyncio.sleep(pause * chunks)
        return send_completion(call, text)
    call.start_stream()
    for start in range(0, step * chunks, step):
        if pause:
            await asyncio.sleep(pause)
        call.event({"content": text[start : start + step]})
    call.event({}, "stop")
    return call.end_stream()


@behaviour("completion")
async def completion(call: Call) -> None:
    """One ordinary completion, although a stream was asked for."""
    send_completion(call, call.manner.answer)


def send_completion(call: Call, text: str) -> None:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    body = call.envelope(choices=[choice], usage=call.usage()) | {"object": "chat.completion"}
    call.send(200, json.dumps(body, ensure_ascii=False))


@behaviour("tool")
async def tool(call: Call) -> None:
    """A call of the tool it was given, in pieces; without tools the arguments as text."""
    written = json.dumps(call.tool_arguments(), ensure_ascii=False)
    await _send_arguments(call, written)


@behaviour("broken tool")
async def broken_tool(call: Call) -> None:
    await _send_arguments(call, '{"reason": "cut')


@behaviour("foreign tool")
async def foreign_tool(call: Call) -> None:
    """Calls a tool that nobody gave it."""
    await _send_arguments(call, '{"city": "上海"}', name="weather")


async def _send_arguments(call: Call, written: str, name: str = "") -> None:
    if not call.asked.body.get("tools"):
        return await stream(call, written)
    await asyncio.sleep(call.manner.draw_seconds())
    call.start_stream()
    name = name or call.asked.body["tools"][0]["function"]["name"]
    first = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": name, "arguments": ""},
    }
    call.event({"role": "assistant", "content": None, "tool_calls": [first]})
    half = len(written) // 2
    for piece in (written[:half], written[half:]):
        call.event({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    call.event({}, "tool_calls")
    return call.end_stream()


@behaviour("refuse tools")
async def refuse_tools(call: Call) -> None:
    if call.asked.body.get("tools"):
        call.refuse(400, "this model does not support tools")
    else:
        await stream(call, call.manner.answer)


@behaviour("tool in words")
async def tool_in_words(call: Call) -> None:
    """Refuses tools, and writes the wished JSON as text when it is asked for it."""
    if call.asked.body.get("tools"):
        call.refuse(422, "Extra inputs are not permitted", param="tools")
    else:
        await stream(
            call, "```json\n" + json.dumps(call.tool_arguments(), ensure_ascii=False) + "\n```"
        )


@behaviour("some forms")
async def some_forms(call: Call) -> None:
    """Takes some ways to ask for a structure, and plain words always."""
    choice = call.asked.body.get("tool_choice")
    wished = (call.asked.body.get("response_format") or {}).get("type")
    form = "named" if isinstance(choice, dict) else choice or wished
    if form and form not in call.manner.forms:
        named = "tool_choice" if choice else f"response_format: {form}"
        call.refuse(400, f"{named} is not supported by this model")
    else:
        await tool(call)


@behaviour("stall")
async def stall(call: Call) -> None:
    """Words, a pause of `seconds` with signs of life, and the rest."""
    call.start_stream()
    call.event({"content": "您好"})
    until = asyncio.get_running_loop().time() + call.manner.seconds
    while asyncio.get_running_loop().time() < until:
        call.raw(b": ping\n\n")
        await asyncio.sleep(0.02)
    call.event({"content": "，" + call.manner.answer})
    call.event({}, "stop")
    call.end_stream()


@behaviour("page 404")
async def page_404(call: Call) -> None:
    call.send(404, "<title>Inner server</title>password=hunter2", "text/html")


@behaviour("page 502")
async def page_502(call: Call) -> None:
    call.send(502, json.dumps({"secret": "hunter2"}))


@behaviour("long error")
async def long_error(call: Call) -> None:
    call.refuse(500, "too long " * 100)


@behaviour("refuse usage")
async def refuse_usage(call: Call) -> None:
    if call.asked.body.get("stream_options"):
        call.refuse(400, "Unrecognized request argument supplied: stream_options")
    else:
        await stream(call, call.manner.answer)


@behaviour("plain only")
async def plain_only(call: Call) -> None:
    """Refuses every luxury without saying which."""
    if {"tools", "stream_options", "user"} & set(call.asked.body):
        call.send(400, "Bad Request", "text/plain")
    else:
        await stream(call, call.manner.answer)


@behaviour("new parameters")
async def new_parameters(call: Call) -> None:
    """As OpenAI's newer models do."""
    if "max_tokens" in call.asked.body:
        call.refuse(
            400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        )
    elif "temperature" in call.asked.body:
        call.refuse(400, "Unsupported value: 'temperature' does not support 0.7 with this model.")
    else:
        await stream(call, call.manner.answer)


@behaviour("hang")
async def hang(call: Call) -> None:
    """Not a byte, until the other side goes away."""
    await call.reader.read()


@behaviour("hang in stream")
async def hang_in_stream(call: Call) -> None:
    call.start_stream()
    call.event({"content": "您好"})
    await hang(call)


@behaviour("hang after answer")
async def hang_after_answer(call: Call) -> None:
    """All is said, but the stream is never ended."""
    call.start_stream()
    call.event({"content": call.manner.answer})
    call.event({}, "stop")
    await hang(call)


@behaviour("drip headers")
async def drip_headers(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await _drip(call, b"x")


@behaviour("drip chunk size")
async def drip_chunk_size(call: Call) -> None:
    """A byte now and then inside the framing, never the end of its line."""
    call.start_stream()
    await _drip(call, b"0")


@behaviour("drip body")
async def drip_body(call: Call) -> None:
    """Bytes of one endless line."""
    call.start_stream()
    await _drip(call, b"1\r\n:\r\n")


@behaviour("drip comments")
async def drip_comments(call: Call) -> None:
    """Signs of life without an answer, as proxies send them."""
    call.start_stream()
    await _drip(call, b"8\r\n: ping\n\n\r\n")


async def _drip(call: Call, piece: bytes) -> None:
    while not call.writer.is_closing():
        call.writer.write(piece)
        await asyncio.sleep(0.02)


@behaviour("slow first token")
async def slow_first_token(call: Call) -> None:
    """Thinks first: the stream is open, the first word comes late."""
    call.start_stream()
    await asyncio.sleep(call.manner.seconds)
    call.event({"content": call.manner.answer})
    call.event({}, "stop")
    call.end_stream()


@behaviour("cut")
async def cut(call: Call) -> None:
    """The connection ends in the middle of the answer."""
    call.start_stream()
    call.event({"content": "您好，这是"})
    await call.cut()


@behaviour("unfinished")
async def unfinished(call: Call) -> None:
    """The body ends as it should, the answer does not."""
    call.start_stream()
    call.event({"content": "您好，这是"})
    call.writer.write(b"0\r\n\r\n")


@behaviour("close at once")
async def close_at_once(call: Call) -> None:
    await call.cut()


@behaviour("no choices")
async def no_choices(call: Call) -> None:
    call.start_stream()
    call.end_stream()


@behaviour("empty choices completion")
async def empty_choices_completion(call: Call) -> None:
    call.send(200, json.dumps(call.envelope(choices=[])))


@behaviour("empty text")
async def empty_text(call: Call) -> None:
    await stream(call, " \n ")


@behaviour("html")
async def html(call: Call) -> None:
    call.send(200, "<!doctype html><title>nginx</title><h1>It works</h1>", "text/html")


@behaviour("not json")
async def not_json(call: Call) -> None:
    call.start_stream()
    call.raw(b"data: {oops\n\n")
    call.end_stream()


@behaviour("strange shape")
async def strange_shape(call: Call) -> None:
    call.start_stream()
    call.raw(b'data: {"choices": {"a": 1}}\n\n')
    call.raw(b'data: ["choices"]\n\n')
    call.end_stream()


@behaviour("object for arguments")
async def object_for_arguments(call: Call) -> None:
    """As some endpoints send them: not as JSON in a string."""
    function = {
        "name": call.asked.body["tools"][0]["function"]["name"],
        "arguments": call.tool_arguments(),
    }
    call.start_stream()
    call.event({"tool_calls": [{"index": 0, "function": function}]}, "tool_calls")
    call.end_stream()


@behaviour("number for text")
async def number_for_text(call: Call) -> None:
    call.start_stream()
    call.event({"content": [{"type": "text", "text": 5}]}, "stop")
    call.end_stream()


@behaviour("number for arguments")
async def number_for_arguments(call: Call) -> None:
    call.start_stream()
    call.event(
        {"tool_calls": [{"index": 0, "function": {"name": "reply", "arguments": 5}}]}, "tool_calls"
    )
    call.end_stream()


@behaviour("key at the cut")
async def key_at_the_cut(call: Call) -> None:
    """An error that repeats the key where the text is cut off."""
    key = call.asked.headers["authorization"].removeprefix("Bearer ")
    call.refuse(401, "x" * (200 - len(key) + 1) + key)


@behaviour("error in stream")
async def error_in_stream(call: Call) -> None:
    call.start_stream()
    call.raw(b'data: {"error": {"message": "overloaded"}}\n\n')
    call.end_stream()


@behaviour("huge")
async def huge(call: Call) -> None:
    call.start_stream()
    for _ in range(2000):
        call.event({"content": "很" * 500})
        await call.writer.drain()
    call.end_stream()


@behaviour("redirect")
async def redirect(call: Call) -> None:
    call.writer.write(b"HTTP/1.1 302 X\r\nLocation: /v1/elsewhere\r\nContent-Length: 0\r\n\r\n")


@behaviour("401")
async def wrong_key(call: Call) -> None:
    """Repeats the key in its message, as some endpoints do."""
    call.refuse(401, f"Incorrect API key provided: {call.asked.headers.get('authorization')}")


def _refusal(status: int) -> Behaviour:
    async def refuse(call: Call) -> None:
        call.refuse(status, f"fake {status}")

    return refuse


for _status in (400, 403, 404, 429, 500, 502, 503):
    BEHAVIOURS[str(_status)] = _refusal(_status)
