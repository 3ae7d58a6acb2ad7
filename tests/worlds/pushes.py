"""What WeChat posts, in clear: the XML of customers' messages and of events."""

from __future__ import annotations

import itertools
import time

ORIGINAL_ID = "gh_shop"
CUSTOMER = "oCustomer"
# No id comes twice, not from two processes either.
_msg_ids = itertools.count(int(time.time() * 1000) << 20)


def next_msg_id() -> str:
    return str(next(_msg_ids))


def text_xml(
    text: str = "怎么退货",
    *,
    openid: str = CUSTOMER,
    to: str = ORIGINAL_ID,
    msg_id: str = "",
    option_id: str = "",
    created: int | None = None,
) -> str:
    """`option_id`: a tap on a link of ours sent these words."""
    tap = f"<bizmsgmenuid>{option_id}</bizmsgmenuid>" if option_id else ""
    fields = f"<Content>{cdata(text)}</Content>{tap}"
    return message_xml("text", fields, openid=openid, to=to, msg_id=msg_id, created=created)


def message_xml(
    kind: str,
    fields: str,
    *,
    openid: str = CUSTOMER,
    to: str = ORIGINAL_ID,
    msg_id: str = "",
    created: int | None = None,
) -> str:
    identity = f"<MsgId>{msg_id or next_msg_id()}</MsgId>"
    return push_xml(kind, fields + identity, openid=openid, to=to, created=created)


def event_xml(
    event: str,
    fields: str = "",
    *,
    openid: str = CUSTOMER,
    to: str = ORIGINAL_ID,
    created: int | None = None,
) -> str:
    named = f"<Event>{cdata(event)}</Event>{fields}"
    return push_xml("event", named, openid=openid, to=to, created=created)


def push_xml(
    kind: str,
    fields: str,
    *,
    openid: str = CUSTOMER,
    to: str = ORIGINAL_ID,
    created: int | None = None,
) -> str:
    moment = int(time.time()) if created is None else created
    return (
        f"<xml><ToUserName>{cdata(to)}</ToUserName><FromUserName>{cdata(openid)}</FromUserName>"
        f"<CreateTime>{moment}</CreateTime><MsgType>{cdata(kind)}</MsgType>{fields}</xml>"
    )


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
