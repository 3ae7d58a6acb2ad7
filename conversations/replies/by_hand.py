"""What a person writes to a customer, and words of the system outside of any turn."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from common import clock
from common.database_threads import database_work
from conversations.models import Author, Conversation, Reply
from conversations.replies import states
from conversations.replies.parts import cut
from conversations.replies.routes import route_of
from conversations.replies.wording import in_words
from conversations.saying import Sayable
from conversations.session import forget
from wechat.accounts import namespace


@database_work
def write_to_customer(
    conversation: Conversation,
    said: Sayable,
    *,
    author: Author,
    agent_name: str = "",
    draft_key: str | None = None,
) -> list[Reply]:
    """A person's words, or a word of the system outside of any turn. Delivery follows on commit.

    On an account without the customer-service API they wait for the customer's next message.

    `draft_key`: a draft is written once. Whoever asks again gets its rows, and delivery is queued
    again, because the first run may have died before it did so.
    """
    text = in_words(said, conversation.account_id)
    route = route_of(conversation.account)
    with transaction.atomic():
        replies = written_under(draft_key)
        if not replies:
            replies = _parts(conversation, text, author, agent_name, draft_key)
            replies = _write_once(replies, conversation)
        if author == Author.AGENT:
            openid, whose = conversation.customer.openid, namespace(conversation.account_id)
            transaction.on_commit(lambda: forget(openid, whose=whose))
        transaction.on_commit(lambda: route.carry_on(conversation.pk))
    return replies


def written_under(draft_key: str | None) -> list[Reply]:
    """The parts of the reply that were written under this key, in their order."""
    if not draft_key:
        return []
    return list(Reply.objects.filter(draft_key=draft_key).order_by("part"))


def _parts(
    conversation: Conversation, text: str, author: Author, agent_name: str, draft_key: str | None
) -> list[Reply]:
    now = clock.now()
    return [
        Reply(
            conversation=conversation,
            draft_key=draft_key,
            part=number,
            author=author,
            agent_name=agent_name,
            text=part,
            due_at=now,
            created_at=now,
        )
        for number, part in enumerate(cut(text), start=1)
    ]


def _write_once(replies: list[Reply], conversation: Conversation) -> list[Reply]:
    """Two requests with one key may come here at the same moment: the unique key decides."""
    first = replies[0]
    try:
        with transaction.atomic():
            for reply in replies:
                states.write_by_hand(reply, route_of(conversation.account).at_rest)
            if first.author == Author.AGENT:
                conversation.last_reply_at = first.created_at
                conversation.save(update_fields=["last_reply_at"])
    except IntegrityError:
        written = written_under(first.draft_key)
        if not written:
            raise
        return written
    return replies
