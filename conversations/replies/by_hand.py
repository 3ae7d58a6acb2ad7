"""What a person writes to a customer, and words of the system outside of any turn."""

from __future__ import annotations

from django.db import transaction

from common import clock
from common.database_threads import database_work
from conversations.models import Author, Conversation, Reply
from conversations.replies import states
from conversations.replies.parts import cut
from conversations.replies.routes import route_of
from conversations.session import forget
from wechat.accounts import namespace


@database_work
def write_to_customer(
    conversation: Conversation, text: str, *, author: Author, agent_name: str = ""
) -> list[Reply]:
    """A person's words, or a word of the system outside of any turn. Delivery follows on commit.

    On an account without the customer-service API they wait for the customer's next message.
    """
    now = clock.now()
    route = route_of(conversation.account)
    with transaction.atomic():
        replies = [
            Reply(
                conversation=conversation,
                part=number,
                author=author,
                agent_name=agent_name,
                text=part,
                due_at=now,
                created_at=now,
            )
            for number, part in enumerate(cut(text), start=1)
        ]
        for reply in replies:
            states.write_one(reply, route.at_rest)
        if author == Author.AGENT:
            conversation.last_reply_at = now
            conversation.save(update_fields=["last_reply_at"])
            openid, whose = conversation.customer.openid, namespace(conversation.account_id)
            transaction.on_commit(lambda: forget(openid, whose=whose))
        transaction.on_commit(lambda: route.carry_on(conversation.pk))
    return replies
