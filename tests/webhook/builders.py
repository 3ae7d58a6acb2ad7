"""Pushes as the callback hands them to intake."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from assistant.wishes import wants_human
from common.text import Words
from tests.worlds.pushes import next_msg_id
from webhook.intake import Push
from wechat.models import OfficialAccount


def push(account: OfficialAccount, text: str = "怎么退货", **values: Any) -> Push:
    """A customer's text as it is stored; `values` replace what a test cares for."""
    now: datetime = timezone.now()
    words = Words(text)
    openid = values.get("openid", "oCustomer")
    defaults = {
        "account_id": account.pk,
        "account_slug": account.slug,
        "openid": openid,
        "dedup_key": f"{openid}:{next_msg_id()}",
        "kind": "text",
        "words": words,
        "fields": {},
        "raw": "",
        "wants_human": wants_human(words),
        "sent_at": now.replace(microsecond=0),
        "received_at": now,
        "hold_until": now + timedelta(seconds=4.5),
        "needs_answer": True,
        "counts": True,
    }
    return Push(**{**defaults, **values})
