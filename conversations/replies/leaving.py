"""A customer who unfollows reads nothing more, whatever was on its way.

The push that tells it changes the customer's row when it is attached, before its turn comes: from
then on no text is claimed, and no call to WeChat begins. What waits for nobody's claim is withdrawn
by the push's turn.
"""

from __future__ import annotations

from django.db import transaction

from common.database_threads import database_work
from conversations.models import Conversation
from conversations.replies import states
from conversations.replies.owner import lock_conversation

REASON = "the customer has unfollowed"


def withdraw(conversation_id: int) -> None:
    """In the caller's transaction, the conversation is locked."""
    states.withdraw_all(conversation_id, REASON)


@database_work
def withdraw_if_left(conversation_id: int) -> None:
    """Unless the customer has come back meanwhile."""
    with transaction.atomic():
        lock_conversation(conversation_id)
        if Conversation.objects.filter(pk=conversation_id, customer__subscribed=False).exists():
            withdraw(conversation_id)
