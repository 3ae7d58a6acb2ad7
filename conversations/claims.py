"""Taking work: one process answers a conversation at a time, its messages in the customer's order.

The lease stands on the conversation; the message counts its attempts. Whoever writes an answer names the attempt, so
a worker that was thought dead and comes back writes nothing.
"""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from common.database_threads import database_work
from conversations import ledger
from conversations.models import (
    LONG_AGO,
    OPEN_STATES,
    Conversation,
    Customer,
    Message,
    MessageState,
)
from wechat.models import OfficialAccount

LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0
MAX_ATTEMPTS = 3

# This process, as the lease names it.
HOLDER = f"{os.getpid()}-{secrets.token_hex(8)}"

_in_hand: set[int] = set()
_in_hand_lock = threading.Lock()


@dataclass(frozen=True)
class Turn:
    """One claimed message: ours to answer until the lease runs out.

    `owner_version` is the conversation's when we took it; a bot's answer is worth nothing under another one.
    """

    message: Message
    conversation: Conversation
    customer: Customer
    account: OfficialAccount

    @property
    def owner_version(self) -> int:
        return self.conversation.owner_version

    @property
    def is_worn_out(self) -> bool:
        """Its workers died again and again: whatever it is, a person should see it."""
        return self.message.attempt > MAX_ATTEMPTS


class LeaseLost(Exception):
    """Another process has taken the message meanwhile: drop the answer, it will give its own."""


@database_work
def attach(message_ids: list[int]) -> list[int]:
    """Give each message its customer and conversation (made at the first word); returns the conversations' ids."""
    conversation_ids = []
    for message in Message.objects.filter(pk__in=message_ids).order_by("sent_at", "pk"):
        conversation = message.conversation or _attach_one(message)
        conversation_ids.append(conversation.pk)
    return list(dict.fromkeys(conversation_ids))


def _attach_one(message: Message) -> Conversation:
    with transaction.atomic():
        conversation = _conversation_with(message.account_id, message.openid)
        Message.objects.filter(pk=message.pk).update(conversation=conversation)
        _open_reply_window(message, conversation)
        if message.sent_at > (conversation.last_message_at or LONG_AGO):
            Conversation.objects.filter(pk=conversation.pk).update(last_message_at=message.sent_at)
    return conversation


def _conversation_with(account_id: int, openid: str) -> Conversation:
    """Two first messages may arrive at once: the unique keys decide, the loser reads the winner's row."""
    rows = Conversation.objects.select_related("customer")
    found = rows.filter(customer__account_id=account_id, customer__openid=openid).first()
    if found:
        return found
    try:
        with transaction.atomic():
            customer, _ = Customer.objects.get_or_create(account_id=account_id, openid=openid)
            return Conversation.objects.create(customer=customer, account_id=account_id)
    except IntegrityError:
        return rows.get(customer__account_id=account_id, customer__openid=openid)


# What the customer did, and the window that it opens (wechat-platform section 6).
EVENTS_THAT_OPEN_A_WINDOW = (
    "event.subscribe",
    "event.scan",
    "event.click",
    "event.scancode_push",
    "event.scancode_waitmsg",
)


def _open_reply_window(message: Message, conversation: Conversation) -> None:
    if message.kind in EVENTS_THAT_OPEN_A_WINDOW or message.fields.get("menu_id"):
        ledger.open_event_window(conversation.customer, message.sent_at)
    elif not message.kind.startswith("event."):
        ledger.open_message_window(conversation.customer, message.sent_at)


@database_work
def take(conversation_id: int) -> Turn | None:
    """Claim the conversation and its first open message. None: somebody else has it, or nothing is to do."""
    now = timezone.now()
    with transaction.atomic():
        won = Conversation.objects.filter(pk=conversation_id, lease_until__lt=now).update(
            lease_holder=HOLDER, lease_until=now + LEASE
        )
        turn = _first_open(conversation_id) if won else None
        if won and turn is None:
            _set_free(conversation_id)
    if turn is not None:
        _hold(conversation_id)
    return turn


@database_work
def take_next(turn: Turn) -> Turn | None:
    """After an answer: the next open message of the same conversation, or its release.

    Both in one transaction. A message stored after our look finds the conversation free; one stored before is seen.
    """
    conversation_id = turn.conversation.pk
    with transaction.atomic():
        now = timezone.now()
        still_ours = Conversation.objects.filter(pk=conversation_id, lease_holder=HOLDER).update(
            lease_until=now + LEASE
        )
        following = _first_open(conversation_id) if still_ours else None
        if still_ours and following is None:
            _set_free(conversation_id)
    if following is None:
        _let_go(conversation_id)
    return following


@database_work
def give_back(turn: Turn) -> None:
    """Not ours to answer here (it needs a model): the message is RECEIVED again, the conversation free."""
    with transaction.atomic():
        Message.objects.filter(pk=turn.message.pk, state=MessageState.ANSWERING, attempt=turn.message.attempt).update(
            state=MessageState.RECEIVED, attempt=turn.message.attempt - 1
        )
        _set_free(turn.conversation.pk)
    _let_go(turn.conversation.pk)


def _first_open(conversation_id: int) -> Turn | None:
    """A wish for a human first, then by the time the customer wrote."""
    message = (
        Message.objects.filter(conversation_id=conversation_id, state__in=OPEN_STATES)
        .select_related("conversation__customer", "account")
        .order_by("-wants_human", "sent_at", "pk")
        .first()
    )
    if message is None:
        return None
    Message.objects.filter(pk=message.pk).update(state=MessageState.ANSWERING, attempt=message.attempt + 1)
    message.state = MessageState.ANSWERING
    message.attempt += 1
    conversation = message.conversation
    assert conversation is not None
    return Turn(message, conversation, conversation.customer, message.account)


def _set_free(conversation_id: int) -> None:
    Conversation.objects.filter(pk=conversation_id, lease_holder=HOLDER).update(lease_until=LONG_AGO)


def _hold(conversation_id: int) -> None:
    with _in_hand_lock:
        _in_hand.add(conversation_id)


def _let_go(conversation_id: int) -> None:
    with _in_hand_lock:
        _in_hand.discard(conversation_id)


@database_work
def refreshed(turn: Turn) -> Turn:
    """The same turn under the conversation's owner of now."""
    turn.conversation.refresh_from_db(fields=["owner", "owner_version"])
    return turn


def drop(turn: Turn) -> None:
    """Stop renewing: the turn failed here, and the lease shall run out so that another process takes it."""
    _let_go(turn.conversation.pk)


@database_work
def renew_all() -> int:
    """Extend the leases of all conversations that this process has in hand, by one UPDATE. Returns how many."""
    with _in_hand_lock:
        in_hand = list(_in_hand)
    if not in_hand:
        return 0
    return Conversation.objects.filter(pk__in=in_hand, lease_holder=HOLDER).update(lease_until=timezone.now() + LEASE)
