"""Cutting an answer into parts that WeChat takes, at sentence ends, counted in UTF-8 bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

# WeChat's limit is about 2,048 bytes and not published; 2,000 is what works everywhere.
MESSAGE_BYTES = 2000
# A part leaves room for the tap link that may have to follow it in the same message.
PART_BYTES = 1750

# Where a sentence may end: all marks in a row, the quotes and brackets they close, the white space
# behind.
_END = re.compile(r"(?P<marks>[。！？；…\n.!?;]++)[”」』）)\"']*+(?P<space>\s*+)")
# These end a sentence wherever they stand. ASCII marks only before a space or Chinese: "3.5" and
# the "?" of a link do not.
_SURE_MARKS = frozenset("。！？；…\n")
_CHINESE_STARTS, _CHINESE_ENDS = "\u2e80", "\uffef"


def byte_length(text: str) -> int:
    return len(text.encode())


def cut(text: str, limit: int = PART_BYTES) -> list[str]:
    """`text` in parts of at most `limit` bytes: whole sentences while they fit, no character ever
    split.

    Nothing is lost but the white space around a cut; a text of only white space has no parts.
    """
    parts: list[str] = []
    current = ""
    for sentence in _sentences(text.strip()):
        if current and byte_length(current) + byte_length(sentence.rstrip()) > limit:
            parts.append(current)
            current = ""
        *full, current = (
            [current + sentence]
            if byte_length(sentence.rstrip()) <= limit
            else _hard_cut(sentence, limit)
        )
        parts.extend(full)
    return [stripped for part in [*parts, current] if (stripped := part.strip())]


def _sentences(text: str) -> Iterator[str]:
    """`text` in its sentences, each with the white space behind it."""
    start = 0
    for end in _END.finditer(text):
        if _ends_sentence(end, text):
            yield text[start : end.end()]
            start = end.end()
    if start < len(text):
        yield text[start:]


def _ends_sentence(end: re.Match[str], text: str) -> bool:
    if end["space"] or not _SURE_MARKS.isdisjoint(end["marks"]):
        return True
    following = text[end.end() : end.end() + 1]
    return _CHINESE_STARTS <= following <= _CHINESE_ENDS


def _hard_cut(sentence: str, limit: int) -> list[str]:
    """A sentence longer than a part, cut between characters."""
    pieces = []
    encoded = sentence.encode()
    start = 0
    while len(encoded) - start > limit:
        piece = encoded[start : start + limit].decode(errors="ignore")
        pieces.append(piece)
        start += len(piece.encode())
    return [*pieces, encoded[start:].decode()]
