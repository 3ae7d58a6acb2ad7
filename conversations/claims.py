"""Taking work: one process answers a conversation at a time, its messages in the customer's order.

The lease stands on the conversation; the message counts its attempts. Whoever writes an answer
names the attempt, so a worker that was thought dead and comes back writes nothing.
"""

from __future__ import annotations

import itertools
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from common.database_threads import database_work
from conversations import hot, ledger
from conversations.models import LONG_AGO, Conversation, Customer, Message, MessageState, Owner
from wechat import accounts
from wechat.crypto import Keys

LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0
MAX_ATTEMPTS = 3

# This process, as its leases name it. Each claim counts on, for a thread that stalled must not pass
# for the one that took over, although both are of the same process.
HOLDER = f"{os.getpid()}-{secrets.token_hex(8)}"
_claims = itertools.count(1)

# The leases of this process that are to be renewed, by conversation.
_in_hand: dict[int, str] = {}
_in_hand_lock = threading.Lock()
# What `say` has taken or released with its answer, by lease, until `take_next` asks.
_followers: dict[str, Turn | None] = {}


@dataclass(frozen=True)
class Turn:
    """One claimed message: ours to answer until the lease runs out.

    `owner_version` is the conversation's when we took it; a bot's answer is worth nothing under
    another one.
    """

    message: Message
    conversation: Conversation
    customer: Customer
    account: Keys
    lease: str = ""

    @property
    def account_id(self) -> int:
        return self.message.account_id

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
    """Give each message its customer and conversation (made at the first word); returns the
    conversations' ids.
    """
    conversation_ids = []
    for message in Message.objects.filter(pk__in=message_ids).order_by("sent_at", "pk"):
        if message.conversation_id is None:
            with transaction.atomic():
                message.conversation_id, _ = _attach(message)
        conversation_ids.append(message.conversation_id)
    return list(dict.fromkeys(conversation_ids))


@database_work
def take_in_hand(message: Message, *, leave_to_worker: bool = False) -> tuple[int, Turn | None]:
    """`attach` and `take` for a message that was stored this moment, in one transaction.

    `leave_to_worker`: only a model can answer it, so it is not claimed here; but a person's
    customer is ours. Returns the conversation's id too.
    """
    with transaction.atomic():
        conversation_id, owner = _attach(message)
        is_left = leave_to_worker and owner == Owner.BOT
        turn = None if is_left else _take(conversation_id)
    return conversation_id, _in_hand_from_now(turn)


def _attach(message: Message) -> tuple[int, str]:
    """Give the message its conversation, and let it open the reply window. Returns the conversation
    and its owner.
    """
    window = ledger.opened_by(message)
    found = hot.conversation_of(message.account_id, message.openid)
    if found is None:
        begun = hot.begin_conversation(
            message.account_id, message.openid, message.sent_at, window, timezone.now()
        )
        if begun is not None and hot.join_conversation(message.pk, begun):
            return begun, Owner.BOT
        found = hot.conversation_of(message.account_id, message.openid)
        assert found is not None
    conversation_id, customer_id, owner = found
    if hot.attach_message(message.pk, conversation_id, message.sent_at):
        ledger.open_window(customer_id, window)
    return conversation_id, owner


@database_work
def take(conversation_id: int) -> Turn | None:
    """Claim the conversation and its first open message. None: somebody else has it, or nothing is
    to do.
    """
    with transaction.atomic():
        turn = _take(conversation_id)
    return _in_hand_from_now(turn)


def _take(conversation_id: int) -> Turn | None:
    now, lease = timezone.now(), f"{HOLDER}-{next(_claims)}"
    if not hot.claim_conversation(conversation_id, lease, now, now + LEASE):
        return None
    turn = _first_open(conversation_id, lease)
    if turn is None:
        hot.release_conversation(conversation_id, lease)
    return turn


def _in_hand_from_now(turn: Turn | None) -> Turn | None:
    """Only after the commit: the renewing thread must not see a lease that may still be rolled
    back.
    """
    if turn is not None:
        with _in_hand_lock:
            _in_hand[turn.conversation.pk] = turn.lease
    return turn


@database_work
def take_next(turn: Turn) -> Turn | None:
    """After an answer: the next open message of the same conversation, or its release.

    `say` has done it already, in the transaction of the answer; if nothing was said it is done
    here.
    """
    if turn.lease in _followers:
        following = _followers.pop(turn.lease)
    else:
        with transaction.atomic():
            following = _move_on(turn)
    if following is None:
        drop(turn)
    return following


def move_on(turn: Turn, *, is_released: bool = False) -> None:
    """Release the conversation, or take its next message, in the caller's transaction. `take_next`
    hands it out.

    A message stored after our look finds the conversation free; one stored before is seen.
    `is_released`: the caller has given the lease up already, in this transaction.
    """
    following = _following(turn) if is_released else _move_on(turn)
    transaction.on_commit(lambda: _followers.update({turn.lease: following}))


def _move_on(turn: Turn) -> Turn | None:
    conversation_id = turn.conversation.pk
    if not turn.lease or not hot.release_conversation(conversation_id, turn.lease):
        return None
    return _following(turn)


def _following(turn: Turn) -> Turn | None:
    """The next open message of a conversation that was released in this transaction."""
    conversation_id = turn.conversation.pk
    following = _first_open(conversation_id, turn.lease)
    if following is not None:
        hot.hold_on(conversation_id, turn.lease, timezone.now() + LEASE)
    return following


@database_work
def give_back(turn: Turn) -> None:
    """Not ours to answer here (it needs a model): the message is RECEIVED again, the conversation
    free.
    """
    with transaction.atomic():
        Message.objects.filter(
            pk=turn.message.pk, state=MessageState.ANSWERING, attempt=turn.message.attempt
        ).update(state=MessageState.RECEIVED, attempt=turn.message.attempt - 1)
        hot.release_conversation(turn.conversation.pk, turn.lease)
    drop(turn)


def _first_open(conversation_id: int, lease: str) -> Turn | None:
    while (found := hot.first_open_message(conversation_id)) is not None:
        message, conversation, customer = found
        # Whoever lost the lease before us may have ended the message at this very moment: then look
        # again.
        if hot.start_answering(message.pk, message.attempt):
            message.state = MessageState.ANSWERING
            message.attempt += 1
            return Turn(message, conversation, customer, accounts.by_id(message.account_id), lease)
    return None


@database_work
def refreshed(turn: Turn) -> Turn:
    """The same turn under the conversation's owner of now."""
    turn.conversation.refresh_from_db(fields=["owner", "owner_version"])
    return turn


def drop(turn: Turn) -> None:
    """Renew it no longer. A lease that was not given back runs out, and another process takes the
    message.
    """
    _followers.pop(turn.lease, None)
    with _in_hand_lock:
        if _in_hand.get(turn.conversation.pk) == turn.lease:
            del _in_hand[turn.conversation.pk]


@database_work
def renew_all() -> int:
    """Extend the leases of all conversations that this process has in hand, by one UPDATE. Returns
    how many.

    Not of those that were given free with the last answer, although `take_next` has not let go of
    them here yet.
    """
    with _in_hand_lock:
        in_hand = dict(_in_hand)
    if not in_hand:
        return 0
    ours = Conversation.objects.filter(
        pk__in=in_hand, lease_holder__in=in_hand.values(), lease_until__gt=LONG_AGO
    )
    return ours.update(lease_until=timezone.now() + LEASE)
