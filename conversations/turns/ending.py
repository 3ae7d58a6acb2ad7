"""The end of a turn: its message's state under the message's lock, and the fence of the owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from conversations.models import LONG_AGO, Ending, Hold, MessageState
from conversations.sql import (
    CONVERSATION,
    MESSAGE,
    for_update,
    from_database,
    read,
    run,
    to_database,
)
from conversations.turns.leases import Turn


@dataclass(frozen=True)
class Held:
    """A message's state under its lock, and whether somebody waits for its reply."""

    state: str
    attempt: int
    hold: str
    hold_until: datetime | None
    ended_with: str
    ended_by: str

    def is_answered_by(self, turn: Turn) -> bool:
        return self.state == MessageState.ANSWERING and self.attempt == turn.message.attempt

    def was_ended_by(self, turn: Turn) -> bool:
        """And the turn never heard of it: its COMMIT got through, the OK was lost."""
        return self.ended_by == turn.id and turn.outcome is None

    def is_waited_for(self, moment: datetime) -> bool:
        """A request carries the reply if it is there by then."""
        if self.hold != Hold.WAITING or self.hold_until is None or self.ended_with != Ending.OPEN:
            return False
        return self.hold_until > moment


def lock_message(message_id: int) -> Held:
    found = read(
        f"SELECT state, attempt, hold, hold_until, ended_with, ended_by FROM {MESSAGE}"
        f" WHERE id = %s{for_update()}",
        message_id,
    )
    state, attempt, hold, until, ended_with, ended_by = found[0]
    return Held(state, attempt, hold, from_database(until), ended_with, ended_by)


_END = f"UPDATE {MESSAGE} SET state = %s, ended_by = %s WHERE id = %s"
_END_WITH_PUSH = (
    f"UPDATE {MESSAGE} SET state = %s, ended_by = %s, ended_with = %s, passive_text = %s"
    " WHERE id = %s"
)


def end_message(turn: Turn, state: str) -> None:
    """Of a message under its lock."""
    run(_END, state, turn.id, turn.message.pk)


def end_message_and_push(turn: Turn, state: str, ended_with: str, passive_text: str) -> None:
    """The same, together with what its push is answered with."""
    run(_END_WITH_PUSH, state, turn.id, ended_with, passive_text, turn.message.pk)


def reply_and_release(conversation_id: int, owner_version: int, lease: str, now: datetime) -> bool:
    """`reply_as_owner` and the end of the lease in one. False: look at the two apart, nothing was
    changed.
    """
    sql = (
        f"UPDATE {CONVERSATION} SET last_reply_at = %s, lease_holder = '', lease_until = %s"
        " WHERE id = %s AND owner_version = %s AND lease_holder = %s"
    )
    free = to_database(LONG_AGO)
    return run(sql, to_database(now), free, conversation_id, owner_version, lease) == 1


def reply_as_owner(conversation_id: int, owner_version: int, now: datetime) -> bool:
    """True when the owner is the same; the row stays locked until the transaction ends."""
    sql = f"UPDATE {CONVERSATION} SET last_reply_at = %s WHERE id = %s AND owner_version = %s"
    return run(sql, to_database(now), conversation_id, owner_version) == 1
