"""The answer of a turn: its rows, its message's end, and who carries it to WeChat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from common import clock
from common.database_threads import database_work
from conversations import session
from conversations.metrics import count_sends
from conversations.models import (
    Author,
    Channel,
    Conversation,
    Ending,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import passive, states
from conversations.replies.owner import lock_conversation
from conversations.replies.parts import cut
from conversations.replies.routes import Route, route_of
from conversations.replies.wakes import hand_over_here, is_waiting_here, wake
from conversations.replies.wording import in_words
from conversations.saying import Sayable
from conversations.session import Session
from conversations.turns import ending, leases
from conversations.turns.ending import Held
from conversations.turns.leases import LeaseLost, Outcome, Turn
from conversations.window import ledger
from conversations.window.ledger import PAUSE_SECONDS, SENDING_LEASE
from wechat.accounts import namespace

# A request that is about to leave is not handed a reply any more.
LEAVES_SOON = timedelta(seconds=0.15)


class OwnerChanged(Exception):
    """A person took over while the bot was thinking: its answer is dropped, nothing was written."""


def say(
    turn: Turn,
    said: Sequence[Sayable],
    *,
    author: Author,
    source: str = "",
    options: Sequence[int] = (),
    state: MessageState = MessageState.ANSWERED,
    memory: Session | None = None,
) -> None:
    """Put `said` into words, write the one set of rows that answers this message, and end the
    message with `state`.

    `said` may be empty (nothing to say). Raises LeaseLost when another process has the message now,
    OwnerChanged when a person took over and the author is the bot. What the answer leads to is on
    the turn once it is committed; a second run after a COMMIT whose OK was lost goes on.

    `memory`: the session that this exchange is added to. The conversation is given away with the
    answer, so the session is written while it is ours.
    """
    texts = [in_words(one, turn.account_id) for one in said]
    if memory is not None:
        _remember(turn, memory, "\n".join(texts), tuple(options))
    try:
        _write(turn, texts, author=author, source=source, options=tuple(options), state=state)
    except (OwnerChanged, LeaseLost):
        if memory is not None:
            session.forget(turn.customer.openid, whose=namespace(turn.account_id))
        raise


def _remember(turn: Turn, memory: Session, answer: str, offered: tuple[int, ...]) -> None:
    session.remember(
        turn.customer.openid,
        memory,
        question=turn.message.text,
        answer=answer,
        offered=offered,
        whose=namespace(turn.account_id),
    )


@database_work
def _write(
    turn: Turn,
    texts: Sequence[str],
    *,
    author: Author,
    source: str,
    options: tuple[int, ...],
    state: MessageState,
) -> None:
    with transaction.atomic():
        held = ending.lock_message(turn.message.pk)
        if held.is_answered_by(turn):
            answer = _Answer(turn, held, clock.now(), author, source, options, state)
            outcome = answer.write([part for text in texts for part in cut(text)])
        elif held.was_ended_by(turn):
            outcome = _go_on(turn)
        else:
            raise LeaseLost(turn.message.pk)
        transaction.on_commit(partial(setattr, turn, "outcome", outcome))


def _go_on(turn: Turn) -> Outcome:
    """With what an earlier run wrote. Whoever waits looks at the row, whatever it says."""
    transaction.on_commit(partial(wake, turn.message.pk))
    claimed = states.claimed_for(turn.message.pk, turn.id)
    if claimed is not None:
        claimed.conversation, claimed.message = turn.conversation, turn.message
        claimed.conversation.customer = turn.customer
    is_due = route_of(turn.account).calls_wechat
    return Outcome(leases.move_on(turn), is_due=is_due, claimed=claimed)


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

    def write(self, parts: list[str]) -> Outcome:
        is_released = self.author == Author.BOT and self._answer_as_owner()
        claimed, is_due = None, False
        if self.held.is_waited_for(self.now + LEAVES_SOON) and is_waiting_here(self._message_id):
            self._write_and_hand_over(parts)
        else:
            ending.end_message(self.turn, str(self.state))
            claimed = self._claim_for_this_task(parts)
            is_due = claimed is not None or self._write_for_others(parts)
        following = leases.move_on(self.turn, is_released=is_released)
        return Outcome(following, is_due, claimed)

    @property
    def _message_id(self) -> int:
        return self.turn.message.pk

    @property
    def _conversation_id(self) -> int:
        return self.turn.conversation.pk

    @property
    def _route(self) -> Route:
        return route_of(self.turn.account)

    def _answer_as_owner(self) -> bool:
        """The fence: raises OwnerChanged. Returns whether the lease ended with it; a lost one is
        `move_on`'s to see.
        """
        turn, version = self.turn, self.turn.owner_version
        if turn.lease and ending.reply_and_release(
            self._conversation_id, version, turn.lease, self.now
        ):
            return True
        if not ending.reply_as_owner(self._conversation_id, version, self.now):
            raise OwnerChanged(self._message_id)
        return False

    def _claim_for_this_task(self, parts: list[str]) -> Reply | None:
        """One text, nobody waits, nothing is due before it: it is written as claimed by this very
        task, which sends it. The ledger has the last word.
        """
        # The fence has locked it for the bot: the customer is locked after it, always.
        if self.author != Author.BOT:
            lock_conversation(self._conversation_id)
        if not self._goes_out_from_here(parts) or not ledger.reserve_send(
            self.turn.customer.pk, self.author, self.now
        ):
            return None
        reply = self._reply(parts[0], 1, is_last=True)
        states.write_claimed(reply, self.turn.id, self.now + SENDING_LEASE)
        if self.author != Author.BOT:  # The bot's words have noted it with the fence.
            rows = Conversation.objects.filter(pk=self._conversation_id)
            rows.update(last_reply_at=self.now)
        return reply

    def _goes_out_from_here(self, parts: list[str]) -> bool:
        last = self.turn.conversation.last_reply_at
        return (
            self.turn.line is not None
            and len(parts) == 1
            and bool(self.turn.lease)
            and not self.held.is_waited_for(self.now)
            and (last is None or self.now - last > timedelta(seconds=PAUSE_SECONDS))
            and not states.has_unsent(self._conversation_id)
        )

    def _write_for_others(self, parts: list[str]) -> bool:
        """Rows for the request that waits, for the push's next delivery, for the API, or for the
        customer's next push. True: the API is to carry them now.
        """
        route = self._route
        has_ended = self.held.ended_with != Ending.OPEN
        states.write(self._replies(parts), route.at_rest if has_ended else ReplyState.READY)
        if self.held.is_waited_for(self.now):
            transaction.on_commit(partial(wake, self._message_id))
            return False
        if not route.calls_wechat:
            return False
        return bool(states.bring_up(self._conversation_id, self.now) or parts)

    def _write_and_hand_over(self, parts: list[str]) -> None:
        """The request waits in this very process: what it will write is decided and stored here,
        with the answer.
        """
        route = self._route
        waiting = passive.lock_waiting_replies([self._conversation_id])
        texts = [*(text for _, _, text in waiting), *parts]
        body, count = passive.compose(route, self.turn.account_id, texts) if texts else ("", 0)
        replies = self._replies(parts)
        own = max(count - len(waiting), 0)
        states.write_sent(replies[:own], self.now)
        states.write(replies[own:], route.at_rest)
        ids = [reply_id for _, reply_id, _ in waiting]
        states.carry(ids[:count], self.now)
        count_sends(Channel.PASSIVE, ReplyState.SENT, count)
        states.rest(ids[count:], route.at_rest, self.now)
        how = Ending.TEXT if body else Ending.SUCCESS
        ending.end_message_and_push(self.turn, str(self.state), str(how), body)
        transaction.on_commit(partial(hand_over_here, self._message_id, body))
        if count < len(texts):
            transaction.on_commit(partial(route.carry_on, self._conversation_id))

    def _replies(self, parts: list[str]) -> list[Reply]:
        return [
            self._reply(part, number, is_last=number == len(parts))
            for number, part in enumerate(parts, start=1)
        ]

    def _reply(self, text: str, number: int, *, is_last: bool) -> Reply:
        return Reply(
            conversation=self.turn.conversation,
            message=self.turn.message,
            part=number,
            author=self.author,
            source=self.source,
            options=list(self.options) if is_last else [],
            owner_version=self.turn.owner_version if self.author == Author.BOT else None,
            text=text,
            due_at=self.now,
            created_at=self.now,
        )
