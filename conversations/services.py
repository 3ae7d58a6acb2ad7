"""The stories of a conversation: say something, let a person write, change who serves the customer.

Everything that the customer shall read becomes Reply rows here, bot's and human's alike; `passive`
and `delivery` carry them to WeChat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from common.database_threads import database_work
from conversations import claims, hot, outbox, passive
from conversations.claims import LeaseLost, Turn
from conversations.ledger import KEPT_FOR_A_PERSON, PAUSE_SECONDS, SENDING_LEASE
from conversations.links import look_link
from conversations.models import (
    OPEN_STATES,
    Author,
    Channel,
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
from conversations.wakes import hand_over_here, is_waiting_here, wake
from wechat.accounts import namespace


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
        held = hot.lock_message(turn.message.pk)
        if held.state != MessageState.ANSWERING or held.attempt != turn.message.attempt:
            raise LeaseLost(turn.message.pk)
        now = timezone.now()
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
    if turn.lease and hot.reply_and_release(conversation_id, version, turn.lease, now):
        return True
    if not hot.reply_as_owner(conversation_id, version, now):
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
    held: hot.Held
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
        hot.end_message(message_id, str(self.state))
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
        released = hot.waiting_becomes_ready(turn.conversation.pk, self.now)
        return Said(send_now=bool(parts or released))

    def _may_be_sent_here(self, parts: list[str]) -> bool:
        """One text, nobody waits, nothing is due before it: this very task sends it. The ledger has
        the last word.
        """
        turn = self.turn
        # The fence has locked it for the bot: the customer is locked after it, always.
        if self.author != Author.BOT:
            hot.lock_conversation(turn.conversation.pk)
        last = turn.conversation.last_reply_at
        return (
            outbox.is_open()
            and len(parts) == 1
            and bool(turn.lease)
            and turn.account.may_send
            and not self._somebody_waits()
            and (last is None or self.now - last > timedelta(seconds=PAUSE_SECONDS))
            and not hot.has_unsent_reply(turn.conversation.pk)
            and hot.spend_if_window_allows(
                turn.customer.pk, KEPT_FOR_A_PERSON if self.author == Author.BOT else 0, self.now
            )
        )

    def _write_for_sending(self, text: str) -> None:
        reply = self._reply(text, 1, ReplyState.SENDING, is_last=True)
        reply.tries, reply.lease_until = 1, self.now + SENDING_LEASE
        reply.pk = hot.insert_reply(reply)
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
        waiting = hot.lock_waiting_replies([turn.conversation.pk])
        texts = [*(text for _, _, text in waiting), *parts]
        body, count = passive.compose(turn.account_id, texts) if texts else ("", 0)
        carried, left = waiting[:count], waiting[count:]
        parts_carried = count - len(carried)
        self._insert(parts[:parts_carried], ReplyState.SENT)
        left_state = ReplyState.READY if may_send else ReplyState.WAITING_FOR_CUSTOMER
        self._insert(parts[parts_carried:], left_state, first=parts_carried + 1)
        if carried:
            hot.replies_sent_passively([reply_id for _, reply_id, _ in carried], self.now)
        if left and may_send:
            hot.waiting_becomes_ready(turn.conversation.pk, self.now)
        ending = Ending.TEXT if body else Ending.SUCCESS
        hot.end_message_and_push(turn.message.pk, str(self.state), str(ending), body)
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
            hot.insert_replies(replies)

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


@database_work
def write_to_customer(
    conversation: Conversation, text: str, *, author: Author, agent_name: str = ""
) -> list[Reply]:
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
            conversation.last_reply_at = now
            conversation.save(update_fields=["last_reply_at"])
            openid, whose = conversation.customer.openid, namespace(conversation.account_id)
            transaction.on_commit(lambda: forget(openid, whose=whose))
        if account.may_send:
            transaction.on_commit(lambda: queue_delivery(conversation.pk))
    return replies


def change_owner(conversation: Conversation, owner: Owner) -> list[Message]:
    """Hand the conversation to bot, queue or agent; to be called inside a transaction.

    The bot's unsent rows are withdrawn and the version moves on, so that nothing of the bot can
    follow. Returns the messages whose answers were dropped: they are HANDED_OVER now, and belong on
    the ticket.
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
    # The messages first: a waiting request locks them in this order before it carries their
    # replies.
    message_ids = set(unsent.values_list("message_id", flat=True)) - {None}
    list(Message.objects.select_for_update().filter(pk__in=message_ids).order_by("pk"))
    dropped_ids = set(
        unsent.filter(message_id__in=message_ids).values_list("message_id", flat=True)
    )
    unsent.update(state=ReplyState.WITHDRAWN)
    dropped = Message.objects.filter(pk__in=dropped_ids)
    dropped.update(state=MessageState.HANDED_OVER)
    return list(dropped)


def open_messages(conversation: Conversation) -> list[Message]:
    """What the customer wrote and nobody has answered yet."""
    return list(conversation.messages.filter(state__in=OPEN_STATES).order_by("sent_at", "pk"))
