"""Pushes as WeChat sends them: the samples of `payloads/`, read by the product's parser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from wechat.incoming import Incoming
from wechat.parsing import parse
from wechat.replies import cdata

PAYLOADS = Path(__file__).parent / "payloads"
NAMES = sorted(path.stem for path in PAYLOADS.glob("*.xml"))

# Where the customer's own words stand, in the kinds that have any.
_WORDS = {"text": "Content", "voice": "Recognition", "event.click": "EventKey"}


def xml_of(name: str) -> bytes:
    return (PAYLOADS / f"{name}.xml").read_bytes()


def sample(name: str) -> Incoming:
    return parse(xml_of(name))


def pushed(kind: str, text: str | None = None, **elements: str) -> Incoming:
    """The first sample of this kind, with other words of the customer and other XML elements."""
    if text and kind not in _WORDS:
        raise TypeError(f"{kind} carries no words of the customer")
    if text is not None and kind in _WORDS:
        elements[_WORDS[kind]] = text
    incoming = parse(_with_elements(xml_of(_names_by_kind()[kind]).decode(), elements))
    if incoming.kind != kind:
        raise TypeError(f"with {elements} it is no {kind}")
    return incoming


@cache
def _names_by_kind() -> dict[str, str]:
    return {sample(name).kind: name for name in reversed(NAMES)}


def _with_elements(xml: str, elements: Mapping[str, str]) -> bytes:
    for name, value in elements.items():
        xml = re.sub(f"<{name}>.*?</{name}>", "", xml, flags=re.DOTALL)
        xml = xml.replace("</xml>", f"<{name}>{cdata(value)}</{name}></xml>")
    return xml.encode("utf-8", "surrogatepass")
