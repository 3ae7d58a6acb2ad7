"""Reading and writing gettext's two kinds of file, without gettext: .po that people edit, .mo that
Django reads.
"""

from __future__ import annotations

import ast
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

# What gettext puts between a context and its text, and between the forms of a plural.
CONTEXT_END, NEXT_FORM = "\x04", "\0"
_LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)\s+)?"(.*)"$')


@dataclass
class Entry:
    is_fuzzy: bool = False
    context: str = ""
    forms: list[str] = field(default_factory=list)
    translations: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """As it stands in a .mo file."""
        return (self.context + CONTEXT_END if self.context else "") + NEXT_FORM.join(self.forms)

    @property
    def is_translated(self) -> bool:
        return not self.is_fuzzy and bool(self.translations) and all(self.translations)


def read_po(file: Path) -> list[Entry]:
    blocks = re.split(r"\n\s*\n", file.read_text(encoding="utf-8"))
    return [entry for block in blocks if (entry := _read_block(block)) is not None]


def _read_block(block: str) -> Entry | None:
    entry, texts = Entry(), [""]
    for line in block.splitlines():
        if line.startswith("#,"):
            entry.is_fuzzy = "fuzzy" in line
        match = _LINE.match(line)
        if match is None:
            continue
        keyword, text = match.group(1), ast.literal_eval(f'"{match.group(2)}"')
        if keyword is None:
            texts[-1] += text
            _put(entry, texts[0], texts[-1], again=True)
            continue
        texts = [keyword, text]
        _put(entry, keyword, text)
    return entry if entry.forms else None


def _put(entry: Entry, keyword: str, text: str, *, again: bool = False) -> None:
    if keyword == "msgctxt":
        entry.context = text
        return
    texts = entry.translations if keyword.startswith("msgstr") else entry.forms
    if again:
        texts.pop()
    texts.append(text)


def compiled_texts(entries: list[Entry]) -> dict[bytes, bytes]:
    """What of `entries` belongs into a .mo file: the header and whatever is translated."""
    wanted = [entry for entry in entries if not entry.key or entry.is_translated]
    return {entry.key.encode(): NEXT_FORM.join(entry.translations).encode() for entry in wanted}


def mo_bytes(texts: dict[bytes, bytes]) -> bytes:
    """Two sorted tables of lengths and offsets, then the texts."""
    keys = sorted(texts)
    start = 28 + len(keys) * 16
    key_table, key_bytes = _table(keys, start)
    value_table, value_bytes = _table([texts[key] for key in keys], start + len(key_bytes))
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + len(keys) * 8, 0, 0)
    return head + key_table + value_table + key_bytes + value_bytes


def read_mo(content: bytes) -> dict[bytes, bytes]:
    count, key_table, value_table = struct.unpack_from("<3I", content, 8)

    def text(table: int, number: int) -> bytes:
        length, offset = struct.unpack_from("<2I", content, table + number * 8)
        return content[offset : offset + length]

    return {text(key_table, number): text(value_table, number) for number in range(count)}


def _table(texts: list[bytes], offset: int) -> tuple[bytes, bytes]:
    table, content = b"", b""
    for text in texts:
        table += struct.pack("<2I", len(text), offset + len(content))
        content += text + b"\0"
    return table, content
