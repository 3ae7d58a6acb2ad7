"""Markdown, as models write it, turned into text that reads well in WeChat, which shows every mark
as it is.
"""

from __future__ import annotations

import re

# No answer of a service desk is longer; the rest of a longer text is left out.
LONGEST = 20_000

# Each pattern passes over a text once, however it is made: a class never includes the mark that
# ends it or begins the next match, and what was taken is not given back (`++`, `*+`).
_FENCE = re.compile(r"^[ \t]*+(?:```|~~~)[^\n]*+\n?", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]++([^\n]*+)", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]{0,3}>[ \t]?", re.MULTILINE)
_RULE = re.compile(
    r"^[ \t]{0,3}(?:(?:\*[ \t]*+){3,}+|(?:-[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)$\n?", re.MULTILINE
)
_BULLET = re.compile(r"^([ \t]*+)[*+-][ \t]++", re.MULTILINE)
# An address may hold brackets in pairs: /wiki/Fish_(food).
_ADDRESS = r"\(((?:[^()\s]|\([^()\s]*+\))++)(?:[^()]|\([^()]*+\))*+\)"
_IMAGE = re.compile(rf"!\[([^\[\]]*+)\]{_ADDRESS}")
_LINK = re.compile(rf"\[([^\[\]]++)\]{_ADDRESS}")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]++)>")
_BOLD = (
    re.compile(r"\*\*(?=\S)((?:[^*]|\*(?!\*))++)(?<=\S)\*\*"),
    re.compile(r"__(?=\S)((?:[^_]|_(?!_))++)(?<=\S)__"),
)
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]++)(?<=[^\s*])\*(?![\w*])")
_STRUCK = re.compile(r"~~(?=\S)((?:[^~\n]|~(?!~))++)(?<=\S)~~")
_CODE = (
    re.compile(r"(?<!`)`([^`\n]++)`(?!`)"),
    re.compile(r"(?<!`)``(?!`)((?:[^`\n]|`(?!`))++)``(?!`)"),
)
_CELL_RULE = r"[ \t]*+:?-{2,}+:?[ \t]*+"
_TABLE_RULE = re.compile(
    rf"\A[ \t]*+(?:\|{_CELL_RULE}|{_CELL_RULE})(?:\|{_CELL_RULE})*+(?:\|[ \t]*+)?$"
)
_TAG = re.compile(
    r"</?(?:br|p|b|strong|i|em|u|ul|ol|li|div|span|h[1-6]|code|pre)\b[^<>]*+>", re.IGNORECASE
)
_BLANK_LINES = re.compile(r"\n{3,}+")


def from_markdown(text: str) -> str:
    """`text` without marks: headings and bold as words, bullets as "·
    ", links as "label：address".
    """
    text = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    text = _without_tables(_FENCE.sub("", text))
    text = _RULE.sub("", _HEADING.sub(_heading, _QUOTE.sub("", text)))
    text = _BULLET.sub(r"\1· ", text)
    text = _LINK.sub(_label_and_address, _IMAGE.sub(_label_and_address, text))
    text = _AUTOLINK.sub(r"\1", text)
    for pattern in (*_BOLD, _ITALIC, _STRUCK, *_CODE):
        text = pattern.sub(r"\1", text)
    text = _TAG.sub(lambda tag: "\n" if tag.group().lower().startswith("<br") else "", text)
    lines = [line.rstrip() for line in text.split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _heading(heading: re.Match[str]) -> str:
    """The words, without the marks that may close a heading."""
    return heading.group(1).rstrip(" \t").rstrip("#").rstrip(" \t")


def _label_and_address(link: re.Match[str]) -> str:
    label, address = link.group(1).strip(), link.group(2)
    return address if label in ("", address) else f"{label}：{address}"


def _without_tables(text: str) -> str:
    """Each row of a table as one line "a，b，c"; the rule under its head goes away."""
    lines: list[str] = []
    in_table = False
    rows = text.split("\n")
    for line, following in zip(rows, [*rows[1:], ""], strict=True):
        if "|" in line and _TABLE_RULE.match(line) and in_table:
            continue
        in_table = "|" in line and (
            in_table or bool(_TABLE_RULE.match(following) and "|" in following)
        )
        lines.append(_row_as_line(line) if in_table else line)
    return "\n".join(lines)


def _row_as_line(row: str) -> str:
    cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
    return "，".join(cell for cell in cells if cell)
