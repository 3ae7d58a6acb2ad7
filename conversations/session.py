"""Session memory: what was said in the last half hour, in Redis under exactly `session:{openid}`.

So for the first account; the further ones have their number in it, `session:{account}:{openid}`.
`whose` below is what `wechat.accounts.namespace` says.

The value is JSON: `{"context": [question, answer, …], "timestamp": unix seconds, "offered": [faq
ids]}`. It is written only by whoever holds the conversation. A lost Redis loses nothing: the
session is rebuilt from the stored messages.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from common import clock
from common.database_threads import database_work
from common.redis import REDIS_AWAY, redis
from conversations.models import Author, Conversation, Message, MessageState, Reply, ReplyState
from wechat.accounts import namespace

logger = logging.getLogger(__name__)

# Ten exchanges: enough for "and in blue?", and a bound on what every model call pays for.
CONTEXT_ENTRIES = 20


@dataclass(frozen=True)
class Session:
    """`context` alternates question, answer; `offered` are the FAQ ids of the last menu, in its
    order.
    """

    context: tuple[str, ...] = ()
    offered: tuple[int, ...] = ()


def session_key(openid: str, whose: str = "") -> str:
    return f"session:{whose}:{openid}" if whose else f"session:{openid}"


def load(conversation: Conversation, openid: str) -> Session:
    try:
        stored = redis().get(session_key(openid, namespace(conversation.account_id)))
    except REDIS_AWAY:
        stored = None
    if stored is None:
        return rebuild(conversation) if _has_recent_past(conversation) else Session()
    try:
        values = json.loads(stored)
        return Session(tuple(values["context"]), tuple(values.get("offered", ())))
    except (ValueError, KeyError, TypeError):
        logger.warning("session of conversation %s is unreadable, rebuilt", conversation.pk)
        return rebuild(conversation)


def _has_recent_past(conversation: Conversation) -> bool:
    """Most sessions that are not in Redis never were: a customer's first question needs no look at
    the rows.
    """
    last = conversation.last_reply_at
    return last is not None and clock.now() - last < timedelta(seconds=settings.SESSION_TTL_SECONDS)


def remember(
    openid: str,
    session: Session,
    *,
    question: str,
    answer: str,
    offered: tuple[int, ...] = (),
    whose: str = "",
) -> None:
    """Add one exchange. A menu replaces the one before it; any other answer ends the menu."""
    _store(
        session_key(openid, whose), [*session.context, question, answer][-CONTEXT_ENTRIES:], offered
    )


def offer(openid: str, session: Session, offered: tuple[int, ...], *, whose: str = "") -> None:
    """A menu that answers no question: the welcome. What was said before stays as it is."""
    _store(session_key(openid, whose), session.context, offered)


def _store(key: str, context: Sequence[str], offered: tuple[int, ...]) -> None:
    value = {
        "context": list(context),
        "timestamp": int(clock.unix_time()),
        "offered": list(offered),
    }
    try:
        redis().set(key, json.dumps(value, ensure_ascii=False), ex=settings.SESSION_TTL_SECONDS)
    except REDIS_AWAY:
        logger.warning(
            "Redis is away: the session of this exchange will be rebuilt from the messages"
        )


def forget(openid: str, *, whose: str = "") -> None:
    """Somebody else than the holder changed the chat (an agent wrote): the next load rebuilds."""
    try:
        redis().delete(session_key(openid, whose))
    except REDIS_AWAY:
        logger.warning("Redis is away: a session could not be forgotten")


@database_work
def rebuild(conversation: Conversation) -> Session:
    """The session as the stored messages of the last `SESSION_TTL_SECONDS` tell it."""
    since = clock.now() - timedelta(seconds=settings.SESSION_TTL_SECONDS)
    messages = Message.objects.filter(conversation=conversation, received_at__gte=since).order_by(
        "received_at", "pk"
    )
    asked = {
        message.pk: message
        for message in messages.only("text", "state", "received_at")
        if message.text
    }
    left_to_people = [
        message for message in asked.values() if message.state == MessageState.HANDED_OVER
    ]
    context: list[str] = []
    offered: tuple[int, ...] = ()
    last: Reply | None = None
    for reply in _replies(conversation, since):
        if reply.author == Author.SYSTEM:
            offered = tuple(reply.options) or offered
            continue
        questions = [asked[reply.message_id]] if reply.message_id in asked else []
        if reply.message_id is None:
            questions = [
                message for message in left_to_people if message.received_at <= reply.created_at
            ]
            left_to_people = left_to_people[len(questions) :]
        if (
            last is not None
            and reply.message_id == last.message_id
            and (reply.message_id or not questions)
        ):
            context[-1] = f"{context[-1]}\n{reply.text}"
        else:
            context += ["\n".join(message.text for message in questions), reply.text]
        last, offered = reply, tuple(reply.options)
    return Session(tuple(context[-CONTEXT_ENTRIES:]), offered)


def _replies(conversation: Conversation, since: datetime) -> QuerySet[Reply]:
    """What the customer has read or will read."""
    replies = Reply.objects.filter(conversation=conversation, created_at__gte=since)
    return replies.exclude(state__in=(ReplyState.WITHDRAWN, ReplyState.FAILED)).order_by(
        "created_at", "pk"
    )
