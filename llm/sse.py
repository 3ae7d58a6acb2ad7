"""Server-sent events, as far as model endpoints use them: the data of each event.

Follows the WHATWG rules for lines, comments and joined data lines; events without data are skipped.
What stands at the end without its empty line is given out too, as some endpoints end with a bare
`data: [DONE]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    data: list[bytes] = []
    for line in lines(pieces):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif line == b"data":
            data.append(b"")
        elif not line and data:
            yield _text(data)
            data = []
    if data:
        yield _text(data)


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines ended by CR LF, LF or CR, however the bytes were cut in pieces."""
    rest = bytearray()
    is_after_cr = False
    for piece in pieces:
        if is_after_cr:
            piece = piece.removeprefix(b"\n")
            is_after_cr = False
        rest += piece
        if b"\n" not in piece and b"\r" not in piece:
            continue
        is_after_cr = rest.endswith(b"\r")
        *whole, last = bytes(rest).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from whole
        rest = bytearray(last)
    if rest:
        yield bytes(rest)


def _text(data: list[bytes]) -> str:
    return b"\n".join(data).decode("utf-8", "replace")
