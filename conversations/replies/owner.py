"""Who serves the customer: changing it withdraws the words of the one before."""

from __future__ import annotations

from django.db.models import F

from common import clock
from conversations.models import Conversation, Message, MessageState, Owner, Reply
from conversations.replies import states
from conversations.sql import CONVERSATION, for_update, read
from conversations.window import ledger


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
    if owner == Owner.BOT:
        # The bot goes on with what it has said: its rows pass the fence under the new version too.
        states.withdrawable(conversation).update(owner_version=conversation.owner_version)
        return []
    return _withdraw_words_of_the_bot(conversation)


def _withdraw_words_of_the_bot(conversation: Conversation) -> list[Message]:
    """The messages are locked first: a waiting request locks them in this order before it carries
    their replies. Then the replies, by their primary key: a claimed one may begin its call until
    then, and is left alone if it did.
    """
    unsent = states.withdrawable(conversation)
    found = list(unsent.values_list("pk", "message_id"))
    message_ids = {message_id for _, message_id in found if message_id is not None}
    list(Message.objects.select_for_update().filter(pk__in=message_ids).order_by("pk"))
    still_unsent = unsent.filter(pk__in=[reply_id for reply_id, _ in found])
    locked = list(still_unsent.select_for_update().order_by("pk").only("message_id"))
    _withdraw(conversation, locked)
    dropped_ids = {reply.message_id for reply in locked if reply.message_id is not None}
    dropped = Message.objects.filter(pk__in=dropped_ids & message_ids)
    dropped.update(state=MessageState.HANDED_OVER)
    return list(dropped)


def _withdraw(conversation: Conversation, replies: list[Reply]) -> None:
    claimed = states.withdraw_locked([reply.pk for reply in replies])
    for _ in range(claimed):
        ledger.refund(conversation.customer, clock.now())


def lock_conversation(conversation_id: int) -> int | None:
    """Its owner's version; the row stays locked until the transaction ends."""
    found = read(
        f"SELECT owner_version FROM {CONVERSATION} WHERE id = %s{for_update()}", conversation_id
    )
    return found[0][0] if found else None
