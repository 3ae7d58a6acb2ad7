"""XML to flat fields: one pass over bytes, no entities, no tree. Past this
module nobody sees XML.
"""

from __future__ import annotations

import math
import re
from typing import NoReturn
from xml.parsers import expat

MAX_DEPTH = 8

# XML 1.0 forbids these, customers' keyboards make them all the same: an invisible character is no
# reason to fail.
_FORBIDDEN = bytes([*range(9), 11, 12, *range(14, 32), 127])
# U+FFFE, U+FFFF, and halves of surrogate pairs, as UTF-8 would write them.
_FORBIDDEN_LONG = re.compile(rb"\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf][\x80-\xbf]")
_DIGITS = re.compile(r"\d{1,10}", re.ASCII)


class NotUnderstood(ValueError):
    """Not the XML of a push: not well-formed, with entities, or with another root."""


class Useless(ValueError):
    """Well-formed, but a field that the kind needs is missing or is not what it should be."""


class Fields:
    """The texts of a push by the path of their element below the root, `SendPicsInfo/Count` for a
    nested one.
    """

    def __init__(self, leaves: list[tuple[str, str]]) -> None:
        self._leaves = leaves
        self._first: dict[str, str] = {}
        for path, text in leaves:
            self._first.setdefault(path, text)

    def text(self, path: str) -> str:
        return self._first.get(path, "")

    def integer(self, path: str) -> int:
        text = self.text(path).strip()
        if not _DIGITS.fullmatch(text):
            raise Useless(f"{path} is no number")
        return int(text)

    def number(self, path: str) -> float:
        """A missing or empty number is 0. NaN and infinity are numbers for Python, but not for
        JSON.
        """
        try:
            value = float(self.text(path) or 0)
        except ValueError as error:
            raise Useless(f"{path} is no number") from error
        if not math.isfinite(value):
            raise Useless(f"{path} is no number")
        return value

    def texts(self, path: str) -> tuple[str, ...]:
        return tuple(text for found, text in self._leaves if found == path)

    def groups(self, path: str) -> list[dict[str, str]]:
        """Repeated elements with children, one dictionary each: a name that comes again begins the
        next.
        """
        prefix, groups = f"{path}/", [dict[str, str]()]
        for found, text in self._leaves:
            if found.startswith(prefix):
                name = found.removeprefix(prefix)
                if name in groups[-1]:
                    groups.append({})
                groups[-1][name] = text
        return [group for group in groups if group]


def read_fields(xml: bytes) -> Fields:
    """Expat with the handlers that defusedxml would set, and ours beside them: no tree is built
    (decision 8).
    """
    leaves = _Leaves()
    # The encoding is WeChat's, whatever the declaration says: UTF-16 or UTF-7 could hide markup
    # from the cleaning.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = leaves.start
    parser.EndElementHandler = leaves.end
    parser.CharacterDataHandler = leaves.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.UnparsedEntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(_without_forbidden(xml), True)
    except expat.ExpatError as error:
        raise NotUnderstood(f"not XML: {error}") from error
    return Fields(leaves.found)


def _refuse(*_declaration: object) -> NoReturn:
    """Expat tells of a document type before anything in it is read, so that no entity can ever be
    declared.
    """
    raise NotUnderstood("XML with a document type or entities")


def _without_forbidden(xml: bytes) -> bytes:
    clean = xml.translate(None, _FORBIDDEN)
    if b"\xed" in clean or b"\xef\xbf" in clean:
        return _FORBIDDEN_LONG.sub(b"", clean)
    return clean


class _Leaves:
    """Target of the parser: keeps the text of elements without children, and
    how they are nested.
    """

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._is_leaf = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path and tag != "xml":
            raise NotUnderstood("the root is not <xml>")
        if len(self._path) == MAX_DEPTH:
            raise NotUnderstood("nested too deeply")
        self._path.append(tag)
        self._text.clear()
        self._is_leaf = True

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        if self._is_leaf and len(self._path) > 1:
            self.found.append(("/".join(self._path[1:]), "".join(self._text)))
        self._is_leaf = False
        self._path.pop()
