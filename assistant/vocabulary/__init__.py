"""The words that the assistant knows by itself, one file a language.

A list of a file holds words, a text is the shape of a sentence: `<name>` in it stands for any word
of that list. `chinese.toml` tells more.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

Table: TypeAlias = Mapping[str, str | list[str]]
Language: TypeAlias = Mapping[str, Table]

_NAME = re.compile(r"<(\w+)>")


def _read(file: Path) -> Language:
    with file.open("rb") as opened:
        return tomllib.load(opened)


LANGUAGES: Mapping[str, Language] = {
    file.stem: _read(file) for file in sorted(Path(__file__).parent.glob("*.toml"))
}


def words(table: str, *names: str) -> tuple[str, ...]:
    """The words of these lists in all languages. A longer word stands before the shorter one that
    it begins with: a pattern that never looks back must try it first.
    """
    found: list[str] = []
    for language in LANGUAGES.values():
        for name in names:
            found += _listed(language[table], name)
    return _longest_first(found)


def any_of(found: Iterable[str]) -> str:
    """A pattern for any of these words."""
    return f"(?:{'|'.join(map(re.escape, found))})"


def whole_words(found: Iterable[str]) -> str:
    """The same, but a word of an alphabet counts only as a whole: "it" is not in "item"."""
    patterns = [rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in found]
    return f"(?:{'|'.join(patterns)})"


def shapes(table: str, name: str) -> str:
    """A pattern, to be compiled as VERBOSE, for this sentence in any language that has it.

    It holds from the beginning of a text only: nobody can look for it from every place of a pile of
    particles.
    """
    tables = [language[table] for language in LANGUAGES.values()]
    filled = [_filled(known, str(known[name])) for known in tables if name in known]
    return r"\A(?:" + "\n|".join(filled) + ")"


def _filled(table: Table, shape: str) -> str:
    return _NAME.sub(lambda named: any_of(_longest_first(_listed(table, named[1]))), shape)


def _listed(table: Table, name: str) -> list[str]:
    """The words of a list, with those of the lists that it names."""
    found: list[str] = []
    for word in table[name]:
        named = _NAME.fullmatch(word)
        found += _listed(table, named[1]) if named else [word]
    return found


def _longest_first(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(found), key=len, reverse=True))
