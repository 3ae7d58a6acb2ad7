"""What is deleted of what was said, once it is old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from common.retention import Sweep
from conversations.models import OPEN_STATES, UNSENT_STATES, Message, Reply, ReplyState


def forget_raw(sweep: Sweep, before: datetime) -> int:
    """The XML of pushes that were not understood. The message itself stays."""

    def empty(keys: Sequence[Any]) -> None:
        Message.objects.filter(pk__in=keys).update(raw="")

    return sweep.in_slices(Message.objects.filter(received_at__lt=before).exclude(raw=""), empty)


def delete_messages(sweep: Sweep, before: datetime, *, keep: QuerySet[Any]) -> int:
    """Messages with their replies, and the replies that answer no single message. `keep`: ids of
    conversations.

    What waits to be sent stays with its message: the customer may come back for it.
    """
    under_way = (*UNSENT_STATES, ReplyState.SENDING)
    unsent = Reply.objects.filter(message=OuterRef("pk"), state__in=under_way)
    messages = Message.objects.filter(received_at__lt=before).exclude(state__in=OPEN_STATES)
    messages = messages.exclude(Exists(unsent))
    replies = Reply.objects.filter(message=None, created_at__lt=before).exclude(state__in=under_way)
    deleted = sweep.delete(messages.exclude(conversation__in=keep))
    return deleted + sweep.delete(replies.exclude(conversation__in=keep))
