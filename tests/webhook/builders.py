"""Pushes as the callback hands them to intake, and as WeChat sends them over the wire."""

from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from assistant.wishes import wants_human
from webhook.intake import Push
from wechat.models import OfficialAccount

_msg_ids = itertools.count(23_000_000_000_000_000)


def next_msg_id() -> str:
    return str(next(_msg_ids))


def push(account: OfficialAccount, text: str = "怎么退货", **values: Any) -> Push:
    """A customer's text as it is stored; `values` replace what a test cares for."""
    now: datetime = timezone.now()
    openid = values.get("openid", "oCustomer")
    defaults = {
        "account_id": account.pk,
        "account_slug": account.slug,
        "openid": openid,
        "dedup_key": f"{openid}:{next_msg_id()}",
        "kind": "text",
        "text": text,
        "fields": {},
        "raw": "",
        "wants_human": wants_human(text),
        "sent_at": now.replace(microsecond=0),
        "received_at": now,
        "hold_until": now + timedelta(seconds=4.5),
        "needs_answer": True,
        "counts": True,
    }
    return Push(**{**defaults, **values})


def text_xml(
    text: str = "怎么退货",
    *,
    openid: str = "oCustomer",
    msg_id: str = "",
    created: int | None = None,
) -> str:
    return message_xml(
        "text",
        f"<Content><![CDATA[{text}]]></Content>",
        openid=openid,
        msg_id=msg_id,
        created=created,
    )


def message_xml(
    kind: str,
    fields: str,
    *,
    openid: str = "oCustomer",
    msg_id: str = "",
    created: int | None = None,
) -> str:
    identity = f"<MsgId>{msg_id or next_msg_id()}</MsgId>"
    return push_xml(kind, fields + identity, openid=openid, created=created)


def event_xml(
    event: str, fields: str = "", *, openid: str = "oCustomer", created: int | None = None
) -> str:
    return push_xml(
        "event", f"<Event><![CDATA[{event}]]></Event>{fields}", openid=openid, created=created
    )


def push_xml(
    kind: str, fields: str, *, openid: str = "oCustomer", created: int | None = None
) -> str:
    moment = int(time.time()) if created is None else created
    return (
        f"<xml><ToUserName><![CDATA[gh_shop]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{moment}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{fields}</xml>"
    )
