"""Passive replies: what the waiting request of a push may say, decided for a whole batch in one transaction.

WeChat shows one reply per push, repeats a push that got none, and shows a failure notice when the last delivery got
none. So the row remembers what its push was answered with, and a repeat gets the same again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.utils import timezone

from conversations.links import look_link
from conversations.models import (
    OPEN_STATES,
    Channel,
    Ending,
    Hold,
    Message,
    Reply,
    ReplyState,
)
from conversations.parts import MESSAGE_BYTES, byte_length
from conversations.texts import ready_text, say_text
from wechat import accounts

# look: a reply may be there. release: an API account's hold is over. last: WeChat will not deliver this push again.
Wish = Literal["look", "release", "last"]


@dataclass(frozen=True)
class Claim:
    message_id: int
    wish: Wish


@dataclass(frozen=True)
class PassiveReply:
    """What to write on the connection now. `text` None: nothing yet, keep holding. "": the word `success`.

    `deliver` is a conversation with further parts for the customer-service API.
    """

    text: str | None
    deliver: int | None = None


PENDING = PassiveReply(None)
SUCCESS = PassiveReply("")


def thinking_text(account_id: int) -> str:
    """For the last delivery of a push that has no answer yet: a link to tap, and the words to type."""
    return ready_text("thinking", account_id, link=look_link(ready_text("thinking_link", account_id)))


def claim_replies(claims: Sequence[Claim]) -> list[PassiveReply]:
    """One outcome per claim, in their order. Two claims on the same push get the same body.

    The messages' rows are locked first, in the order of their ids: `say` locks the same row before it writes replies,
    so an answer comes either before this look or sees what the push was ended with.
    """
    with transaction.atomic():
        messages = _locked([claim.message_id for claim in claims])
        ready = _ready_rows(messages.values())
        waiting = _waiting_rows(messages.values())
        desk = _Desk()
        outcomes: dict[int, PassiveReply] = {}
        for claim in claims:
            message = messages[claim.message_id]
            known = outcomes.get(message.pk)
            if known is None or known.text is None:
                conversation_id = message.conversation_id or 0
                outcomes[message.pk] = desk.serve(
                    message, claim.wish, ready.pop(message.pk, []), waiting, conversation_id
                )
        desk.write()
    return [outcomes[claim.message_id] for claim in claims]


def _locked(message_ids: list[int]) -> dict[int, Message]:
    rows = Message.objects.select_for_update().filter(pk__in=message_ids).order_by("pk")
    return {row.pk: row for row in rows}


def _ready_rows(messages: Iterable[Message]) -> dict[int, list[Reply]]:
    by_message: dict[int, list[Reply]] = defaultdict(list)
    rows = Reply.objects.select_for_update().filter(
        message_id__in=[message.pk for message in messages], state=ReplyState.READY
    )
    for row in rows.order_by("part"):
        by_message[row.message_id or 0].append(row)
    return by_message


def _waiting_rows(messages: Iterable[Message]) -> dict[int, list[Reply]]:
    by_conversation: dict[int, list[Reply]] = defaultdict(list)
    conversation_ids = {message.conversation_id for message in messages if message.conversation_id}
    rows = Reply.objects.select_for_update().filter(
        conversation_id__in=conversation_ids, state=ReplyState.WAITING_FOR_CUSTOMER
    )
    for row in rows.order_by("created_at", "pk"):
        by_conversation[row.conversation_id].append(row)
    return by_conversation


class _Desk:
    """Serves the claims of one batch and keeps what has to be written for all of them."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.ended: list[Message] = []
        self.sent: list[int] = []
        self.left_waiting: list[int] = []
        self.left_ready: list[int] = []

    def serve(
        self, message: Message, wish: Wish, ready: list[Reply], waiting: dict[int, list[Reply]], conversation_id: int
    ) -> PassiveReply:
        if message.ended_with != Ending.OPEN:
            return PassiveReply(message.passive_text)
        is_open = message.state in OPEN_STATES
        if is_open and wish == "look":
            return PENDING
        thinking = is_open and wish == "last"
        if is_open and wish == "release":
            message.hold = Hold.RELEASED
            return self._end(message, "")
        rows = waiting.pop(conversation_id, []) + ready
        if not rows:
            return self._end(message, thinking_text(message.account_id) if thinking else "")
        return self._carry(message, rows, thinking)

    def _carry(self, message: Message, rows: list[Reply], thinking: bool) -> PassiveReply:
        """As many rows as fit, oldest first; the rest waits for the next push, or for the API."""
        account_id = message.account_id
        tail = thinking_text(message.account_id) if thinking else ""
        text, count = _fit([row.text for row in rows], MESSAGE_BYTES - byte_length(tail) - 2 if tail else MESSAGE_BYTES)
        rest = rows[count:]
        if rest and not tail and not accounts.may_send(message.account_id):
            link = look_link(say_text("more_link", account_id))
            tail = say_text("more", account_id, link=link)
            text, count = _fit([row.text for row in rows], MESSAGE_BYTES - byte_length(tail) - 2)
            rest = rows[count:]
        self.sent += [row.pk for row in rows[:count]]
        (self.left_ready if accounts.may_send(message.account_id) else self.left_waiting).extend(row.pk for row in rest)
        deliver = message.conversation_id if rest and accounts.may_send(message.account_id) else None
        return self._end(message, f"{text}\n{tail}" if tail else text, deliver)

    def _end(self, message: Message, text: str, deliver: int | None = None) -> PassiveReply:
        message.ended_with = Ending.TEXT if text else Ending.SUCCESS
        message.passive_text = text
        self.ended.append(message)
        return PassiveReply(text, deliver)

    def write(self) -> None:
        if self.ended:
            Message.objects.bulk_update(self.ended, ["ended_with", "passive_text", "hold"])
        if self.sent:
            Reply.objects.filter(pk__in=self.sent).update(
                state=ReplyState.SENT, channel=Channel.PASSIVE, sent_at=self.now
            )
        if self.left_waiting:
            Reply.objects.filter(pk__in=self.left_waiting).update(state=ReplyState.WAITING_FOR_CUSTOMER)
        if self.left_ready:
            Reply.objects.filter(pk__in=self.left_ready).update(state=ReplyState.READY, due_at=self.now)


def _fit(texts: Sequence[str], limit: int) -> tuple[str, int]:
    """The first texts, joined by blank lines, that fit `limit` bytes, and how many they are: at least one.

    A single text is never longer than a part, which leaves room for any tail.
    """
    joined = texts[0]
    for count, text in enumerate(texts[1:], start=1):
        longer = f"{joined}\n\n{text}"
        if byte_length(longer) > limit:
            return joined, count
        joined = longer
    return joined, len(texts)
