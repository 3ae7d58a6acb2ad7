"""The stories of a conversation: say something, let a person write, change who serves the customer.

Everything that the customer shall read becomes Reply rows here, bot's and human's alike; `passive` and `delivery`
carry them to WeChat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from common.database_threads import database_work
from conversations import hot
from conversations.claims import LeaseLost, Turn
from conversations.links import look_link
from conversations.models import (
    OPEN_STATES,
    Author,
    Conversation,
    Ending,
    Hold,
    Message,
    MessageState,
    Owner,
    Reply,
    ReplyState,
)
from conversations.parts import cut
from conversations.session import forget
from conversations.tasks import queue_delivery
from conversations.texts import say_text
from conversations.wakes import wake


class OwnerChanged(Exception):
    """A person took over while the bot was thinking: its answer is dropped, nothing was written."""


@dataclass(frozen=True)
class Said:
    """What became of an answer: a request waits for it (`woken`), or part 1 is to be sent now (`send_now`)."""

    woken: bool = False
    send_now: bool = False


@database_work
def say(
    turn: Turn,
    texts: Sequence[str],
    *,
    author: Author,
    source: str = "",
    options: Sequence[int] = (),
    state: MessageState = MessageState.ANSWERED,
) -> Said:
    """Write the one set of rows that answers this message, and end the message with `state`.

    `texts` may be empty (nothing to say). Raises LeaseLost when another process has the message now, OwnerChanged
    when a person took over and the author is the bot.
    """
    if texts and state == MessageState.HANDED_OVER and not turn.account.may_send:
        texts = [*texts[:-1], f"{texts[-1]}\n{_receipt_link(turn)}"]
    with transaction.atomic():
        if not _end_message(turn, state):
            raise LeaseLost(turn.message.pk)
        if author == Author.BOT and not _owner_is_the_same(turn):
            raise OwnerChanged(turn.message.pk)
        said = _write_answer(turn, texts, author=author, source=source, options=options)
        if said.woken:
            transaction.on_commit(lambda: wake(turn.message.pk))
    return said


def _receipt_link(turn: Turn) -> str:
    label = say_text("agent_receipt_link", turn.account_id)
    return say_text("handover_look", turn.account_id, link=look_link(label))


def _end_message(turn: Turn, state: MessageState) -> bool:
    """Also locks the row: a waiting request that leaves at this moment comes before or after us, never between."""
    return hot.end_message(turn.message.pk, turn.message.attempt, str(state))


def _owner_is_the_same(turn: Turn) -> bool:
    """Also locks the conversation: a takeover at this moment sees our rows and withdraws them, or comes first."""
    return hot.lock_owner_version(turn.conversation.pk, turn.owner_version)


def _write_answer(turn: Turn, texts: Sequence[str], *, author: Author, source: str, options: Sequence[int]) -> Said:
    now = timezone.now()
    hold, hold_until, ended_with = hot.hold_of(turn.message.pk)
    somebody_waits = hold == Hold.WAITING and hold_until is not None and hold_until > now
    may_send = turn.account.may_send
    too_late = not may_send and ended_with != Ending.OPEN
    parts = [part for text in texts for part in cut(text)]
    replies = [
        Reply(
            conversation=turn.conversation,
            message=turn.message,
            part=number,
            author=author,
            source=source,
            options=list(options) if number == len(parts) else [],
            owner_version=turn.owner_version if author == Author.BOT else None,
            text=part,
            state=ReplyState.WAITING_FOR_CUSTOMER if too_late else ReplyState.READY,
            due_at=now,
            created_at=now,
        )
        for number, part in enumerate(parts, start=1)
    ]
    if replies:
        hot.insert_replies(replies)
    if somebody_waits or not may_send:
        return Said(woken=somebody_waits)
    released = hot.waiting_becomes_ready(turn.conversation.pk, now)
    return Said(send_now=bool(parts or released))


@database_work
def write_to_customer(conversation: Conversation, text: str, *, author: Author, agent_name: str = "") -> list[Reply]:
    """A person's words, or a word of the system outside of any turn. Delivery follows on commit.

    On an account without the customer-service API they wait for the customer's next message.
    """
    now = timezone.now()
    account = conversation.account
    state = ReplyState.READY if account.may_send else ReplyState.WAITING_FOR_CUSTOMER
    with transaction.atomic():
        replies = [
            Reply(
                conversation=conversation,
                part=number,
                author=author,
                agent_name=agent_name,
                text=part,
                state=state,
                due_at=now,
                created_at=now,
            )
            for number, part in enumerate(cut(text), start=1)
        ]
        for reply in replies:
            reply.save()
        if author == Author.AGENT:
            openid = conversation.customer.openid
            transaction.on_commit(lambda: forget(openid))
        if account.may_send:
            transaction.on_commit(lambda: queue_delivery(conversation.pk))
    return replies


def change_owner(conversation: Conversation, owner: Owner) -> list[Message]:
    """Hand the conversation to bot, queue or agent; to be called inside a transaction.

    The bot's unsent rows are withdrawn and the version moves on, so that nothing of the bot can follow. Returns the
    messages whose answers were dropped: they are HANDED_OVER now, and belong on the ticket.
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
    # The messages first: a waiting request locks them in this order before it carries their replies.
    message_ids = set(unsent.values_list("message_id", flat=True)) - {None}
    list(Message.objects.select_for_update().filter(pk__in=message_ids).order_by("pk"))
    dropped_ids = set(unsent.filter(message_id__in=message_ids).values_list("message_id", flat=True))
    unsent.update(state=ReplyState.WITHDRAWN)
    dropped = Message.objects.filter(pk__in=dropped_ids)
    dropped.update(state=MessageState.HANDED_OVER)
    return list(dropped)


def open_messages(conversation: Conversation) -> list[Message]:
    """What the customer wrote and nobody has answered yet."""
    return list(conversation.messages.filter(state__in=OPEN_STATES).order_by("sent_at", "pk"))
