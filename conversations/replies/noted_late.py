"""When a request had to answer before its rows could be decided: the rows follow what the customer
has read.

A database that is slow to the point of WeChat's cut makes it so. Without this a text would count as
read that nobody read, or an answer would lie ready for a delivery that never comes.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from common import clock
from conversations.models import Channel, Ending, Hold, Message, Reply, ReplyState
from conversations.replies import states
from conversations.replies.owner import lock_conversation
from conversations.replies.routes import route_of_id


def note_late(message_id: int, told: str) -> int | None:
    """The push was answered with `told` ("": the word `success`). Returns the conversation that the
    API must serve now.

    In the caller's transaction; the message first, as `say` locks it.
    """
    message = Message.objects.select_for_update().filter(pk=message_id).first()
    if message is None or (message.ended_with != Ending.OPEN and message.passive_text == told):
        return None
    route = route_of_id(message.account_id)
    unread = states.unread(_unread(message), route.at_rest, clock.now())
    message.ended_with, message.passive_text = (Ending.TEXT if told else Ending.SUCCESS), told
    message.hold = Hold.RELEASED
    message.save(update_fields=["ended_with", "passive_text", "hold"])
    return message.conversation_id if unread and route.calls_wechat else None


def _unread(message: Message) -> QuerySet[Reply]:
    """What this push was to carry: its own answer that is ready, and all that its recorded body
    holds.

    Not the bot's words from before a person took over.
    """
    if message.conversation_id is None:
        return Reply.objects.none()
    version = lock_conversation(message.conversation_id)
    recorded = Reply.objects.filter(
        Q(owner_version=None) | Q(owner_version=version),
        conversation=message.conversation_id,
        state=ReplyState.SENT,
        channel=Channel.PASSIVE,
        sent_at__gte=message.received_at,
    )
    carried = [reply.pk for reply in recorded.only("text") if reply.text in message.passive_text]
    return Reply.objects.filter(Q(pk__in=carried) | Q(message=message, state=ReplyState.READY))
