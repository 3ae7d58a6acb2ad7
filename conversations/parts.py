"""Cutting an answer into parts that WeChat takes, at sentence ends, counted in UTF-8 bytes."""

from __future__ import annotations

import re

# WeChat's limit is about 2,048 bytes and not published; 2,000 is what works everywhere (wechat-platform section 0).
MESSAGE_BYTES = 2000
# A part leaves room for the tap link that may have to follow it in the same message.
PART_BYTES = 1750

# ASCII marks end a sentence only before a space or Chinese: "3.5" and the "?" of a link do not.
_SENTENCE = re.compile(
    r".+?(?:[。！？；…\n]+[”」』）)\"']*|[.!?;]+[”」』）)\"']*(?=[\s\u2e80-\uffef])|$)\s*", re.DOTALL
)


def byte_length(text: str) -> int:
    return len(text.encode())


def cut(text: str, limit: int = PART_BYTES) -> list[str]:
    """`text` in parts of at most `limit` bytes: whole sentences while they fit, no character ever split.

    Nothing is lost but the white space around a cut; a text of only white space has no parts.
    """
    parts: list[str] = []
    current = ""
    for sentence in _SENTENCE.findall(text.strip()):
        if current and byte_length(current) + byte_length(sentence.rstrip()) > limit:
            parts.append(current)
            current = ""
        *full, current = [current + sentence] if byte_length(sentence.rstrip()) <= limit else _hard_cut(sentence, limit)
        parts.extend(full)
    return [stripped for part in [*parts, current] if (stripped := part.strip())]


def _hard_cut(sentence: str, limit: int) -> list[str]:
    """A sentence longer than a part, cut between characters."""
    pieces = []
    rest = sentence.encode()
    while len(rest) > limit:
        piece = rest[:limit].decode(errors="ignore")
        pieces.append(piece)
        rest = rest[len(piece.encode()) :]
    return [*pieces, rest.decode()]
