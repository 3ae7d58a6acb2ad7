"""Links inside a text, as the phone draws them: web links, and the ones that send a text when
tapped.
"""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

# A link holds no other link: whatever stands in a text is passed over once.
_ANCHOR = re.compile(r"<a\s(?P<attributes>[^<>]*+)>(?P<label>(?:[^<]|<(?!/?a\b))*+)</a>", re.I)
_HREF = re.compile(r"""\bhref\s*+=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)')""", re.I)
_TAP = "weixin://bizmsgmenu?"

# {"text": …} with, for a link, {"href": …} or {"tap": {"content": …, "option_id": …}}
Piece = dict[str, str | dict[str, str]]


def pieces(text: str) -> list[Piece]:
    """`text` cut into plain words and links. Any other mark-up stays what it is: text."""
    found: list[Piece] = []
    position = 0
    for anchor in _ANCHOR.finditer(text):
        href = _HREF.search(anchor["attributes"])
        if href is None:
            continue
        if anchor.start() > position:
            found.append({"text": text[position : anchor.start()]})
        found.append(
            _link(
                html.unescape(href["double"] or href["single"] or ""),
                html.unescape(anchor["label"]),
            )
        )
        position = anchor.end()
    if position < len(text):
        found.append({"text": text[position:]})
    return found


def _link(href: str, label: str) -> Piece:
    if href.startswith(_TAP):
        query = _query(href.removeprefix(_TAP))
        content = query.get("msgmenucontent", label)
        return {"text": label, "tap": {"content": content, "option_id": query.get("msgmenuid", "")}}
    if href.startswith(("http://", "https://")):
        return {"text": label, "href": href}
    return {"text": label}


def _query(text: str) -> dict[str, str]:
    """`a=b&c=d`, percent-encoded or not; a plus is a plus."""
    pairs = (part.partition("=") for part in text.split("&"))
    return {name: unquote(value) for name, _, value in pairs}
