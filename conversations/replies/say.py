"""The answer of a turn: its rows, its message's end, and who carries it to WeChat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from common import clock
from common.database_threads import database_work
from conversations.models import (
    LONG_AGO,
    Author,
    Channel,
    Conversation,
    Ending,
    Hold,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import outbox, passive
from conversations.replies.links import look_link
from conversations.replies.parts import cut
from conversations.replies.wakes import hand_over_here, is_waiting_here, wake
from conversations.sql import (
    CONVERSATION,
    MESSAGE,
    REPLY,
    Inserted,
    for_update,
    from_database,
    insert,
    lock_conversation,
    marks,
    read,
    run,
    to_database,
)
from conversations.tasks import queue_delivery
from conversations.texts import say_text
from conversations.turns import claims
from conversations.turns.claims import LeaseLost, Turn
from conversations.window import ledger
from conversations.window.ledger import KEPT_FOR_A_PERSON, PAUSE_SECONDS, SENDING_LEASE


class OwnerChanged(Exception):
    """A person took over while the bot was thinking: its answer is dropped, nothing was written."""


@dataclass(frozen=True)
class Said:
    """What became of an answer: a request waits for it (`woken`), or part 1 is to be sent now
    (`send_now`).
    """

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

    `texts` may be empty (nothing to say). Raises LeaseLost when another process has the message
    now, OwnerChanged when a person took over and the author is the bot.
    """
    if texts and state == MessageState.HANDED_OVER and not turn.account.may_send:
        texts = [*texts[:-1], f"{texts[-1]}\n{_receipt_link(turn)}"]
    with transaction.atomic():
        held = lock_message(turn.message.pk)
        if held.state != MessageState.ANSWERING or held.attempt != turn.message.attempt:
            raise LeaseLost(turn.message.pk)
        now = clock.now()
        is_released = author == Author.BOT and _may_answer(turn, now)
        answer = _Answer(turn, held, now, author, source, tuple(options), state)
        said = answer.write([part for text in texts for part in cut(text)])
        claims.move_on(turn, is_released=is_released)
    return said


def _may_answer(turn: Turn, now: datetime) -> bool:
    """The fence: raises OwnerChanged. Returns whether the lease ended with it; a lost one is
    `move_on`'s to see.
    """
    conversation_id, version = turn.conversation.pk, turn.owner_version
    if turn.lease and reply_and_release(conversation_id, version, turn.lease, now):
        return True
    if not reply_as_owner(conversation_id, version, now):
        raise OwnerChanged(turn.message.pk)
    return False


def _receipt_link(turn: Turn) -> str:
    label = say_text("agent_receipt_link", turn.account_id)
    return say_text("handover_look", turn.account_id, link=look_link(label))


# A request that is about to leave is not handed a reply any more.
LEAVES_SOON = timedelta(seconds=0.15)


@dataclass(frozen=True)
class _Answer:
    """One answer on its way into the rows, its message locked.

    A waiting request that leaves at this moment comes before or after us, never between; a takeover
    sees our rows and withdraws them, or came first.
    """

    turn: Turn
    held: Held
    now: datetime
    author: Author
    source: str
    options: tuple[int, ...]
    state: MessageState

    def write(self, parts: list[str]) -> Said:
        turn, may_send = self.turn, self.turn.account.may_send
        message_id = turn.message.pk
        if self._somebody_waits(LEAVES_SOON) and is_waiting_here(message_id):
            self._write_and_hand_over(parts)
            return Said(woken=True)
        end_message(message_id, str(self.state))
        if self._may_be_sent_here(parts):
            self._write_for_sending(parts[0])
            return Said(send_now=True)
        too_late = not may_send and self.held.ended_with != Ending.OPEN
        self._insert(parts, ReplyState.WAITING_FOR_CUSTOMER if too_late else ReplyState.READY)
        if self._somebody_waits():
            transaction.on_commit(lambda: wake(message_id))
            return Said(woken=True)
        if not may_send:
            return Said()
        released = waiting_becomes_ready(turn.conversation.pk, self.now)
        return Said(send_now=bool(parts or released))

    def _may_be_sent_here(self, parts: list[str]) -> bool:
        """One text, nobody waits, nothing is due before it: this very task sends it. The ledger has
        the last word.
        """
        turn = self.turn
        # The fence has locked it for the bot: the customer is locked after it, always.
        if self.author != Author.BOT:
            lock_conversation(turn.conversation.pk)
        last = turn.conversation.last_reply_at
        return (
            outbox.is_open()
            and len(parts) == 1
            and bool(turn.lease)
            and turn.account.may_send
            and not self._somebody_waits()
            and (last is None or self.now - last > timedelta(seconds=PAUSE_SECONDS))
            and not has_unsent_reply(turn.conversation.pk)
            and ledger.spend_if_window_allows(
                turn.customer.pk, KEPT_FOR_A_PERSON if self.author == Author.BOT else 0, self.now
            )
        )

    def _write_for_sending(self, text: str) -> None:
        reply = self._reply(text, 1, ReplyState.SENDING, is_last=True)
        reply.tries, reply.lease_until = 1, self.now + SENDING_LEASE
        reply.pk = insert_reply(reply)
        if self.author != Author.BOT:  # The bot's words have noted it with the fence.
            Conversation.objects.filter(pk=self.turn.conversation.pk).update(last_reply_at=self.now)
        lease = self.turn.lease
        transaction.on_commit(lambda: outbox.put(lease, reply))

    def _somebody_waits(self, margin: timedelta = timedelta()) -> bool:
        held = self.held
        if held.hold != Hold.WAITING or held.hold_until is None or held.ended_with != Ending.OPEN:
            return False
        return held.hold_until - margin > self.now

    def _write_and_hand_over(self, parts: list[str]) -> None:
        """The request waits in this very process: what it will write is decided and stored here,
        with the answer.
        """
        turn, may_send = self.turn, self.turn.account.may_send
        waiting = passive.lock_waiting_replies([turn.conversation.pk])
        texts = [*(text for _, _, text in waiting), *parts]
        body, count = passive.compose(turn.account_id, texts) if texts else ("", 0)
        carried, left = waiting[:count], waiting[count:]
        parts_carried = count - len(carried)
        self._insert(parts[:parts_carried], ReplyState.SENT)
        left_state = ReplyState.READY if may_send else ReplyState.WAITING_FOR_CUSTOMER
        self._insert(parts[parts_carried:], left_state, first=parts_carried + 1)
        if carried:
            passive.replies_sent_passively([reply_id for _, reply_id, _ in carried], self.now)
        if left and may_send:
            waiting_becomes_ready(turn.conversation.pk, self.now)
        ending = Ending.TEXT if body else Ending.SUCCESS
        end_message_and_push(turn.message.pk, str(self.state), str(ending), body)
        transaction.on_commit(lambda: hand_over_here(turn.message.pk, body))
        if may_send and count < len(texts):
            transaction.on_commit(lambda: queue_delivery(turn.conversation.pk))

    def _insert(self, parts: list[str], state: ReplyState, first: int = 1) -> None:
        last = first + len(parts) - 1
        replies = [
            self._reply(part, number, state, number == last)
            for number, part in enumerate(parts, start=first)
        ]
        if replies:
            insert_replies(replies)

    def _reply(self, text: str, number: int, state: ReplyState, is_last: bool) -> Reply:
        sent = state == ReplyState.SENT
        return Reply(
            conversation=self.turn.conversation,
            message=self.turn.message,
            part=number,
            author=self.author,
            source=self.source,
            options=list(self.options) if is_last else [],
            owner_version=self.turn.owner_version if self.author == Author.BOT else None,
            text=text,
            state=state,
            channel=Channel.PASSIVE if sent else Channel.NONE,
            due_at=self.now,
            created_at=self.now,
            sent_at=self.now if sent else None,
        )


@dataclass(frozen=True)
class Held:
    """A message's state under its lock, and whether somebody waits for its reply."""

    state: str
    attempt: int
    hold: str
    hold_until: datetime | None
    ended_with: str


def lock_message(message_id: int) -> Held:
    found = read(
        f"SELECT state, attempt, hold, hold_until, ended_with FROM {MESSAGE} WHERE id = "
        f"%s{for_update()}",
        message_id,
    )
    state, attempt, hold, until, ended_with = found[0]
    return Held(state, attempt, hold, from_database(until), ended_with)


def end_message(message_id: int, state: str) -> None:
    """Of a message under its lock."""
    run(f"UPDATE {MESSAGE} SET state = %s WHERE id = %s", state, message_id)


def end_message_and_push(message_id: int, state: str, ended_with: str, passive_text: str) -> None:
    """The same, together with what its push is answered with."""
    sql = f"UPDATE {MESSAGE} SET state = %s, ended_with = %s, passive_text = %s WHERE id = %s"
    run(sql, state, ended_with, passive_text, message_id)


def reply_and_release(conversation_id: int, owner_version: int, lease: str, now: datetime) -> bool:
    """`reply_as_owner` and the end of the lease in one. False: look at the two apart, nothing was
    changed.
    """
    sql = (
        f"UPDATE {CONVERSATION} SET last_reply_at = %s, lease_holder = '', lease_until = %s"
        " WHERE id = %s AND owner_version = %s AND lease_holder = %s"
    )
    return (
        run(sql, to_database(now), to_database(LONG_AGO), conversation_id, owner_version, lease)
        == 1
    )


def reply_as_owner(conversation_id: int, owner_version: int, now: datetime) -> bool:
    """True when the owner is the same; the row stays locked until the transaction ends."""
    sql = f"UPDATE {CONVERSATION} SET last_reply_at = %s WHERE id = %s AND owner_version = %s"
    return run(sql, to_database(now), conversation_id, owner_version) == 1


def has_unsent_reply(conversation_id: int) -> bool:
    sql = (
        f"SELECT 1 FROM {REPLY} WHERE conversation_id = %s AND state IN ('ready', 'sending', "
        "'waiting') LIMIT 1"
    )
    return bool(read(sql, conversation_id))


_REPLY_COLUMNS = (
    "conversation_id",
    "message_id",
    "part",
    "author",
    "agent_name",
    "source",
    "options",
    "owner_version",
    "text",
    "state",
    "channel",
    "tries",
    "lease_until",
    "due_at",
    "created_at",
    "sent_at",
    "reason",
)


def insert_replies(replies: Sequence[Reply]) -> None:
    _insert(replies)


def insert_reply(reply: Reply) -> int:
    """One row; returns its id."""
    return _insert([reply]).row_id


def _insert(replies: Sequence[Reply]) -> Inserted:
    values: list[Any] = []
    for reply in replies:
        row = {column: getattr(reply, column) for column in _REPLY_COLUMNS}
        row.update(
            author=str(reply.author),
            source=str(reply.source),
            state=str(reply.state),
            channel=str(reply.channel),
            options=json.dumps(reply.options),
            due_at=to_database(reply.due_at),
            created_at=to_database(reply.created_at),
            sent_at=to_database(reply.sent_at),
            lease_until=to_database(reply.lease_until),
        )
        values += row.values()
    places = ", ".join([f"({marks(_REPLY_COLUMNS)})"] * len(replies))
    return insert(f"INSERT INTO {REPLY} ({', '.join(_REPLY_COLUMNS)}) VALUES {places}", *values)


def waiting_becomes_ready(conversation_id: int, now: datetime) -> int:
    sql = (
        f"UPDATE {REPLY} SET state = 'ready', due_at = %s WHERE conversation_id = %s AND state = "
        "'waiting'"
    )
    return run(sql, to_database(now), conversation_id)
