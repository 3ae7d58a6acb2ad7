"""Pushes as the callback hands them to intake."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from assistant.wishes import wants_human
from common.text import Words
from tests.samples import pushed
from tests.worlds.pushes import next_msg_id
from webhook.intake import Push
from wechat.models import OfficialAccount
from wechat.traits import Expects


def push(
    account: OfficialAccount, text: str = "怎么退货", *, kind: str = "text", **values: Any
) -> Push:
    """A push as it is stored, from the payload sample of its kind; `text` are the customer's words,
    `elements` other XML elements. Other `values` replace what a test cares for.
    """
    incoming = pushed(kind, text if kind == "text" else None, **values.pop("elements", {}))
    now: datetime = timezone.now()
    words = Words(incoming.question)
    openid = values.get("openid", "oCustomer")
    defaults = {
        "account_id": account.pk,
        "account_slug": account.slug,
        "openid": openid,
        "dedup_key": f"{openid}:{next_msg_id()}",
        "kind": incoming.kind,
        "words": words,
        "fields": incoming.stored_fields(),
        "raw": "",
        "wants_human": wants_human(words),
        "sent_at": now.replace(microsecond=0),
        "received_at": now,
        "hold_until": now + timedelta(seconds=4.5),
        "needs_answer": incoming.traits.expects is not Expects.NOTHING,
        "counts": incoming.traits.is_counted,
    }
    return Push(**{**defaults, **values})
