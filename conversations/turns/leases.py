"""Taking work: one process answers a conversation at a time, its messages in the customer's order.

The lease stands on the conversation; the message counts its attempts. Whoever writes an answer
names the attempt, so a worker that was thought dead and comes back writes nothing.
"""

from __future__ import annotations

import itertools
import os
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from common import clock
from common.database_threads import database_work
from conversations.models import (
    LONG_AGO,
    OPEN_STATES,
    Conversation,
    Customer,
    Message,
    MessageState,
    Owner,
    Reply,
)
from conversations.sql import (
    CONVERSATION,
    CUSTOMER,
    MESSAGE,
    Joined,
    quoted,
    read,
    run,
    to_database,
)
from conversations.turns.arriving import attach_one
from wechat import accounts
from wechat.client import Line
from wechat.crypto import Account

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


def new_claim() -> str:
    """An id that names one claim of this process: on a conversation, a message or a reply. It is
    made before the transaction, so that a second run knows what the first one wrote.
    """
    return f"{HOLDER}-{next(_claims)}"


@dataclass
class Turn:
    """One claimed message: ours to answer until the lease runs out.

    `owner_version` is the conversation's when we took it; a bot's answer is worth nothing under
    another one. `line`: the task that answers may send the text itself. `outcome`: what the answer
    led to, once it is committed.
    """

    message: Message
    conversation: Conversation
    customer: Customer
    account: Account
    lease: str = ""
    # What this turn, and no other, writes is known by.
    id: str = field(default_factory=new_claim, init=False)
    line: Line | None = None
    outcome: Outcome | None = field(default=None, compare=False, repr=False)

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


@dataclass(frozen=True)
class Outcome:
    """What an answer led to. Either a request waits for it, or it is `due`: part 1 goes out now.

    `claimed`: the text that the answer's own task sends, claimed with the answer.
    """

    following: Turn | None
    is_due: bool = False
    claimed: Reply | None = None


class LeaseLost(Exception):
    """Another process has taken the message meanwhile: drop the answer, it will give its own."""


@database_work
def attach_and_lease(
    message: Message, lease: str, *, leave_to_worker: bool = False
) -> tuple[int, Turn | None]:
    """`attach` and `lease_turn` for a message that was stored this moment, in one transaction.

    `lease` is a new claim's id. `leave_to_worker`: only a model can answer it, so it is not claimed
    here; but a person's customer is ours. Returns the conversation's id too.
    """
    with transaction.atomic():
        conversation_id, owner = attach_one(message)
        is_left = leave_to_worker and owner == Owner.BOT
        turn = None if is_left else _lease(conversation_id, lease)
    return conversation_id, _in_hand_from_now(turn)


def lease_turn(conversation_id: int) -> Turn | None:
    """Claim the conversation and its first open message. None: somebody else has it, or nothing is
    to do.
    """
    return _lease_turn(conversation_id, new_claim())


@database_work
def _lease_turn(conversation_id: int, lease: str) -> Turn | None:
    with transaction.atomic():
        turn = _lease(conversation_id, lease)
    return _in_hand_from_now(turn)


def _lease(conversation_id: int, lease: str) -> Turn | None:
    now = clock.now()
    if not write_lease(conversation_id, lease, now, now + LEASE):
        return None
    turn = _first_open(conversation_id, lease)
    if turn is None:
        release_conversation(conversation_id, lease)
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
def lease_next(turn: Turn) -> Turn | None:
    """After an answer: the next open message of the same conversation, or its release.

    `say` has done it already, in the transaction of the answer; if nothing was said it is done
    here.
    """
    if turn.outcome is not None:
        following = turn.outcome.following
    else:
        with transaction.atomic():
            following = _move_on(turn)
    if following is None:
        drop(turn)
    return following


def move_on(turn: Turn, *, is_released: bool = False) -> Turn | None:
    """Release the conversation, or take its next message, in the caller's transaction.

    A message stored after our look finds the conversation free; one stored before is seen.
    `is_released`: the caller has given the lease up already, in this transaction.
    """
    return _following(turn) if is_released else _move_on(turn)


def _move_on(turn: Turn) -> Turn | None:
    conversation_id = turn.conversation.pk
    if not turn.lease or not release_conversation(conversation_id, turn.lease):
        return None
    return _following(turn)


def _following(turn: Turn) -> Turn | None:
    """The next open message of a conversation that was released in this transaction."""
    conversation_id = turn.conversation.pk
    following = _first_open(conversation_id, turn.lease)
    if following is not None:
        lease_again(conversation_id, turn.lease, clock.now() + LEASE)
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
        release_conversation(turn.conversation.pk, turn.lease)
    drop(turn)


def _first_open(conversation_id: int, lease: str) -> Turn | None:
    while (found := first_open_message(conversation_id)) is not None:
        message, conversation, customer = found
        # Whoever lost the lease before us may have ended the message at this very moment: then look
        # again.
        if start_answering(message.pk, message.attempt):
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
    with _in_hand_lock:
        if _in_hand.get(turn.conversation.pk) == turn.lease:
            del _in_hand[turn.conversation.pk]


@database_work
def renew_all() -> int:
    """Extend the leases of all conversations that this process has in hand, by one UPDATE. Returns
    how many.

    Not of those that were given free with the last answer, although `lease_next` has not let go of
    them here yet.
    """
    with _in_hand_lock:
        in_hand = dict(_in_hand)
    if not in_hand:
        return 0
    ours = Conversation.objects.filter(
        pk__in=in_hand, lease_holder__in=in_hand.values(), lease_until__gt=LONG_AGO
    )
    return ours.update(lease_until=clock.now() + LEASE)


def write_lease(conversation_id: int, holder: str, now: datetime, until: datetime) -> bool:
    """True too where this very claim has it: its first COMMIT got through, the OK was lost."""
    sql = (
        f"UPDATE {CONVERSATION} SET lease_holder = %s, lease_until = %s"
        " WHERE id = %s AND (lease_until < %s OR lease_holder = %s)"
    )
    moment = to_database(now)
    return run(sql, holder, to_database(until), conversation_id, moment, holder) == 1


def release_conversation(conversation_id: int, holder: str) -> bool:
    """The holder goes with the lease: whoever renews by its name must not renew what was given
    free.
    """
    sql = (
        f"UPDATE {CONVERSATION} SET lease_holder = '', lease_until = %s WHERE id = %s AND "
        "lease_holder = %s"
    )
    return run(sql, to_database(LONG_AGO), conversation_id, holder) == 1


def lease_again(conversation_id: int, holder: str, until: datetime) -> None:
    """Of a conversation that was released in this transaction."""
    sql = f"UPDATE {CONVERSATION} SET lease_holder = %s, lease_until = %s WHERE id = %s"
    run(sql, holder, to_database(until), conversation_id)


_TURN = Joined(
    m=(
        Message,
        "id account_id openid dedup_key kind text fields wants_human sent_at received_at "
        "conversation_id state attempt hold hold_until",
    ),
    co=(Conversation, "id account_id customer_id owner owner_version receipt_at last_reply_at"),
    cu=(Customer, "id account_id openid remark let_in_at"),
)


def first_open_message(conversation_id: int) -> tuple[Message, Conversation, Customer] | None:
    """A wish for a human first, then by the time the customer wrote."""
    found = read(
        f"SELECT {_TURN.columns} FROM {MESSAGE} m"
        f" JOIN {CONVERSATION} co ON co.id = m.conversation_id JOIN {CUSTOMER} cu ON cu.id = "
        "co.customer_id"
        f" WHERE m.conversation_id = %s AND m.state IN ({quoted(*OPEN_STATES)})"
        " ORDER BY m.wants_human DESC, m.sent_at, m.id LIMIT 1",
        conversation_id,
    )
    if not found:
        return None
    message, conversation, customer = _TURN.instances(found[0])
    message.conversation = conversation
    conversation.customer = customer
    return message, conversation, customer


_START = (
    f"UPDATE {MESSAGE} SET state = {quoted(MessageState.ANSWERING)}, attempt = attempt + 1"
    f" WHERE id = %s AND attempt = %s AND state IN ({quoted(*OPEN_STATES)})"
)


def start_answering(message_id: int, attempts_so_far: int) -> bool:
    return run(_START, message_id, attempts_so_far) == 1
