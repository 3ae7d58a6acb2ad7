"""One call to one model: time limits, size limit, and every failure under its name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from common.text import without_control
from llm.errors import (
    Broken,
    CallFailed,
    Failed,
    Nonsense,
    ParametersRefused,
    RateLimited,
    Refused,
    TimedOut,
)
from llm.models import LanguageModel
from llm.reading import LONGEST_ERROR, Draft, Reply, error_text
from llm.sse import events
from llm.transport import Deadline, session, waiting_until
from llm.turns import Tool

MAX_BYTES = 1_000_000
_PIECE = 65536
_MAX_ERROR_BYTES = 4096
# Seconds that we wait for the usage report after the answer is complete, for the end of the body,
# for an error's text.
_FOR_USAGE = 1.0
_FOR_END = 0.2
_FOR_ERROR_TEXT = 2.0

_STREAM_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")


class Stopwatch:
    """When the call began and when the first token came; the caller logs it, however the call
    ended.
    """

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.first_token_ms: int | None = None

    @property
    def total_ms(self) -> int:
        return int((time.monotonic() - self.started) * 1000)

    def note_first_token(self) -> None:
        self.first_token_ms = self.total_ms


def ask(model: LanguageModel, body: bytes, tools: Sequence[Tool], watch: Stopwatch) -> Reply:
    until_first = watch.started + min(model.first_token_timeout, model.total_timeout)
    with (
        waiting_until(until_first) as deadline,
        _named_errors(model),
        _post(model, body) as response,
    ):
        _check_status(response, deadline)
        return _read(response, model, watch, deadline).reply(tools)


def scrubbed(text: str, model: LanguageModel) -> str:
    """`text` on one short line, without the key: some endpoints repeat it
    in their error message.
    """
    key = model.api_key or ""
    if len(key) > 3:
        text = text.replace(key, "***")
    return without_control(" ".join(text.split()))[:LONGEST_ERROR]


@contextmanager
def _named_errors(model: LanguageModel) -> Iterator[None]:
    """The libraries' errors under our names. Most of their texts are not passed on: one of them
    quotes the key.
    """
    try:
        yield
    except (requests.Timeout, ReadTimeoutError, TimeoutError) as error:
        raise TimedOut(f"time-out ({type(error).__name__})") from None
    except requests.ConnectionError as error:
        raise Failed(scrubbed(f"cannot connect or no answer: {_cause(error)}", model)) from None
    except requests.RequestException as error:
        raise Refused(
            f"cannot be asked ({type(error).__name__}): look at the address and the key"
        ) from None
    except (HTTPError, OSError) as error:
        raise Broken(f"cut off ({type(error).__name__})") from None
    except CallFailed as error:
        error.args = (scrubbed(str(error), model),)
        raise


def _cause(error: requests.ConnectionError) -> str:
    """What lies below the wrappings: refused, unknown host, certificate."""
    inner = error.args[0] if error.args else error
    return str(getattr(inner, "reason", inner))


def _post(model: LanguageModel, body: bytes) -> requests.Response:
    headers: dict[str, str | bytes] = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
    }
    if model.api_key:
        headers["Authorization"] = f"Bearer {model.api_key}".encode()
    return session.post(
        f"{model.base_url.rstrip('/')}/chat/completions",
        data=body,
        headers=headers,
        stream=True,
        allow_redirects=False,
        timeout=(min(model.connect_timeout, model.total_timeout), model.first_token_timeout),
    )


def _check_status(response: requests.Response, deadline: Deadline) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    body = _error_body(response, deadline)
    message = _readable(body)
    text = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    if status in (400, 422):
        raise ParametersRefused(text, body)
    if status == 429:
        raise RateLimited(text)
    raise (Refused if status < 500 else Failed)(text)


def _error_body(response: requests.Response, deadline: Deadline) -> str:
    deadline.move(time.monotonic() + _FOR_ERROR_TEXT)
    read = b""
    try:
        while len(read) < _MAX_ERROR_BYTES and (
            piece := response.raw.read1(_MAX_ERROR_BYTES, decode_content=True)
        ):
            read += piece
    except (HTTPError, OSError):
        pass  # The status says enough.
    return read.decode("utf-8", "replace")


def _readable(body: str) -> str:
    try:
        return error_text(json.loads(body))
    except (ValueError, RecursionError):
        return ""


def _read(
    response: requests.Response, model: LanguageModel, watch: Stopwatch, deadline: Deadline
) -> Draft:
    pieces = _pieces(response)
    start = b""
    while len(start) < 8:  # Enough to tell a stream from a completion, however thinly it is cut.
        piece = next(pieces, None)
        if piece is None:
            break
        start = (start + piece).lstrip(b" \r\n\t\xef\xbb\xbf")
    if not start:
        raise Broken("empty body")
    until = watch.started + model.total_timeout
    if start.startswith(b"{"):
        deadline.move(until)
        return _read_completion(_again(start, pieces), watch)
    if not start.startswith(_STREAM_STARTS):
        raise Nonsense("neither a stream nor a completion")
    draft = _read_stream(
        _again(start, pieces), watch, deadline, until, model.between_tokens_timeout
    )
    _reach_end(response, deadline)
    return draft


def _read_completion(pieces: Iterator[bytes], watch: Stopwatch) -> Draft:
    watch.note_first_token()
    draft = Draft()
    draft.add(b"".join(pieces).decode("utf-8", "replace"))
    return draft


def _read_stream(
    pieces: Iterator[bytes],
    watch: Stopwatch,
    deadline: Deadline,
    until: float,
    between_tokens: float,
) -> Draft:
    draft = Draft()
    try:
        for event in events(pieces):
            if event.strip() == "[DONE]":
                return draft
            told_before = draft.tokens
            draft.add(event)
            if draft.tokens and watch.first_token_ms is None:
                watch.note_first_token()
            if draft.tokens > told_before:  # A comment that keeps the line open is no token.
                deadline.move(min(until, time.monotonic() + between_tokens))
            if draft.is_finished:
                deadline.move(min(until, time.monotonic() + _FOR_USAGE))
    except (HTTPError, OSError):
        if not draft.is_finished:
            raise
    if not draft.is_finished:
        raise Broken("the stream ended in the middle")
    return draft


def _pieces(response: requests.Response) -> Iterator[bytes]:
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):
        size += len(piece)
        if size > MAX_BYTES:
            raise Nonsense("the body is too large")
        yield piece


def _again(start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from pieces


def _reach_end(response: requests.Response, deadline: Deadline) -> None:
    """Read the end of the body, so that the connection can serve the next call;
    else it is closed.
    """
    deadline.move(time.monotonic() + _FOR_END)
    try:
        response.raw.read1(1, decode_content=True)
    except (HTTPError, OSError):
        response.close()
