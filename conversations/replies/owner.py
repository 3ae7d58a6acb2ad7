"""Who serves the customer changes: the words of the one before are withdrawn with it."""

from __future__ import annotations

from django.db.models import F

from conversations.models import Author, Conversation, Message, MessageState, Owner, ReplyState


def change_owner(conversation: Conversation, owner: Owner) -> list[Message]:
    """Hand the conversation to bot, queue or agent; to be called inside a transaction.

    The bot's unsent rows are withdrawn and the version moves on, so that nothing of the bot can
    follow. Returns the messages whose answers were dropped: they are HANDED_OVER now, and belong on
    the ticket.
    """
    Conversation.objects.filter(pk=conversation.pk).update(
        owner=owner, owner_version=F("owner_version") + 1, receipt_at=None
    )
    conversation.refresh_from_db(fields=["owner", "owner_version", "receipt_at"])
    unsent = conversation.replies.unsent().filter(author=Author.BOT)
    if owner == Owner.BOT:
        # The bot goes on with what it has said: its rows pass the fence under the new version too.
        unsent.update(owner_version=conversation.owner_version)
        return []
    # The messages first: a waiting request locks them in this order before it carries their
    # replies.
    message_ids = set(unsent.values_list("message_id", flat=True)) - {None}
    list(Message.objects.select_for_update().filter(pk__in=message_ids).order_by("pk"))
    dropped_ids = set(
        unsent.filter(message_id__in=message_ids).values_list("message_id", flat=True)
    )
    unsent.update(state=ReplyState.WITHDRAWN)
    dropped = Message.objects.filter(pk__in=dropped_ids)
    dropped.update(state=MessageState.HANDED_OVER)
    return list(dropped)
