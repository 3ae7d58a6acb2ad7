"""What the customers of some conversations wrote last."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import OuterRef, Subquery

from conversations.models import Conversation, Message


def last_words(conversation_ids: Collection[int]) -> dict[int, str]:
    """By conversation. Each is one look into the index; do not ask for more of them than a page
    shows.
    """
    texts = Message.objects.filter(conversation=OuterRef("pk")).exclude(text="")
    newest = texts.order_by("-received_at", "-pk").values("text")[:1]
    rows = Conversation.objects.filter(pk__in=conversation_ids).annotate(said=Subquery(newest))
    return {pk: said or "" for pk, said in rows.values_list("pk", "said")}
