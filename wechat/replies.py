"""Passive replies as XML, and the links inside a text that send words when tapped."""

from __future__ import annotations

import re
from urllib.parse import quote

from common.text import without_control

# Chinese stays readable in a link; what could end the attribute, the parameter or the link does
# not.
_SAFE_IN_LINK = "-_.~!*'()/:,;@$"
# Whether clients decode entities in a label is not documented: full-width twins cannot break the
# link either way.
_LABEL = str.maketrans({"<": "＜", ">": "＞", "&": "＆", '"': "＂"})
# A link holds no other link: whatever stands in a text is passed over once.
_LINK = re.compile(r"<a\b[^<>]*+>((?:[^<]|<(?!/?a\b))*+)</a>", re.IGNORECASE)


def text_reply(*, to: str, sender: str, text: str, created: int) -> str:
    return (
        f"<xml><ToUserName>{cdata(to)}</ToUserName><FromUserName>{cdata(sender)}</FromUserName>"
        f"<CreateTime>{created}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{cdata(text)}</Content></xml>"
    )


def cdata(text: str) -> str:
    """Any text as character data: without what XML forbids, with `]]>` cut over two sections, line
    breaks as LF.
    """
    clean = without_control(text).replace("\r\n", "\n").replace("\r", "\n")
    return f"<![CDATA[{clean.replace(']]>', ']]]]><![CDATA[>')}]]>"


def tap_link(label: str, *, content: str, option_id: str) -> str:
    """A link that sends `content` as the customer's own message; it comes back with
    `option_id`, or without.
    """
    href = f"weixin://bizmsgmenu?msgmenucontent={_in_link(content)}&msgmenuid={_in_link(option_id)}"
    return f'<a href="{href}">{without_control(label).translate(_LABEL)}</a>'


def without_links(text: str) -> str:
    """`text` with the links that WeChat understands (`<a href>`) reduced to their labels, for
    people and models.
    """
    return _LINK.sub(r"\1", text)


def _in_link(text: str) -> str:
    return "".join(
        quote(char, safe=_SAFE_IN_LINK) if char.isascii() else char
        for char in without_control(text)
    )
