"""The states of a reply: which row may go where, and who takes it there.

This module is the only writer of `Reply.state`. Each function is one UPDATE that names the states
it expects; it returns whether (or how many) rows were in them. docs/states.md has the picture.

A SENDING row belongs to one claim. It is claimed first, and begun right before the HTTP call: a
claimed row whose call never began is READY again, only one that began may become UNKNOWN. Rows
without a claim id are of a former release, which did not tell the two apart: they count as begun.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from django.db.models import F, Q, QuerySet

from conversations.models import Author, Channel, Conversation, Reply, ReplyState
from conversations.sql import (
    CONVERSATION,
    CUSTOMER,
    REPLY,
    Insert,
    marks,
    quoted,
    read,
    run,
    to_database,
)

READY, SENDING, SENT = ReplyState.READY, ReplyState.SENDING, ReplyState.SENT
WAITING, WITHDRAWN = ReplyState.WAITING_FOR_CUSTOMER, ReplyState.WITHDRAWN
UNKNOWN, FAILED = ReplyState.UNKNOWN, ReplyState.FAILED


class Transition(NamedTuple):
    """Rows in one of the states `before` go to `after`; `by`: who takes them there, and why."""

    before: tuple[ReplyState, ...]
    after: ReplyState
    by: str

    @property
    def expected(self) -> str:
        """The condition, as a statement names it."""
        return f"state IN ({quoted(*self.before)})"

    @property
    def assigned(self) -> str:
        return f"state = {quoted(self.after)}"

    def rows(self) -> QuerySet[Reply]:
        return Reply.objects.filter(state__in=self.before)


CARRY = Transition((READY, WAITING), SENT, "passive, say: the reply to a push carries it")
CLAIM = Transition((READY,), SENDING, "by_api: it is about to be sent")
ACCEPT = Transition((SENDING, UNKNOWN), SENT, "by_api: WeChat has taken it")
TRY_LATER = Transition((SENDING, UNKNOWN), READY, "by_api: WeChat has not taken it, once more")
LET_GO = Transition((SENDING,), READY, "recovery: its call never began")
NOT_BEGUN = Transition((SENDING, UNKNOWN), READY, "by_api: its call never began")
REFUSE_NOW = Transition((SENDING, UNKNOWN), WAITING, "by_api: WeChat says the window is closed")
REFUSE = Transition((SENDING, UNKNOWN), FAILED, "by_api: WeChat refuses it for good")
LOSE_SIGHT = Transition((SENDING,), UNKNOWN, "by_api, recovery: its call began, nobody knows more")
FAIL_BEHIND = Transition((READY,), FAILED, "by_api: the part before it has failed")
HOLD_BACK = Transition((READY,), WAITING, "by_api, passive, recovery: nothing may carry it now")
BRING_UP = Transition((WAITING,), READY, "say, passive: the customer's push opens the window")
WITHDRAW = Transition(
    (READY, WAITING), WITHDRAWN, "owner, by_api, leaving: a person took over, the customer left"
)
WITHDRAW_CLAIMED = Transition((SENDING,), WITHDRAWN, "owner, leaving: so, before its call began")
UNREAD_READY = Transition((SENT, READY), READY, "told: the push carried something else")
UNREAD_WAITING = Transition((SENT, READY), WAITING, "told: the push carried something else")
EXPIRE = Transition((WAITING,), FAILED, "recovery: the customer did not come back in 48 hours")

TRANSITIONS = (
    *(CARRY, CLAIM, ACCEPT, TRY_LATER, LET_GO, NOT_BEGUN),
    *(REFUSE_NOW, REFUSE, LOSE_SIGHT, FAIL_BEHIND, HOLD_BACK, BRING_UP),
    *(WITHDRAW, WITHDRAW_CLAIMED, UNREAD_READY, UNREAD_WAITING, EXPIRE),
)
# The states that a row may begin in.
BEGINNINGS = {
    READY: "say, by_hand: for the request that waits, the push's next delivery, or the API",
    WAITING: "say, by_hand: for the customer's next push",
    SENDING: "say: claimed by the task that writes it",
    SENT: "say: the reply to the push, which waits in this process, carries it",
}

_REPLY = Insert(
    Reply,
    (
        *("conversation_id", "message_id", "part", "author", "agent_name", "source", "options"),
        *("owner_version", "text", "state", "channel", "tries", "claim", "lease_until"),
        *("due_at", "created_at", "sent_at"),
    ),
)
_values_of = attrgetter(*_REPLY.given)
# Only what a person writes has the key of a draft.
_BY_HAND = Insert(Reply, (*_REPLY.given, "draft_key"))


def write(replies: Sequence[Reply], state: ReplyState) -> None:
    """New rows, ready or waiting for the customer."""
    if replies:
        _write(replies, state)


def write_sent(replies: Sequence[Reply], now: datetime) -> None:
    """New rows that a passive reply carries."""
    for reply in replies:
        reply.channel, reply.sent_at = Channel.PASSIVE, now
    write(replies, SENT)


def write_claimed(reply: Reply, claim: str, until: datetime) -> None:
    """A new row that the task which writes it sends. It knows its id then."""
    reply.tries, reply.claim, reply.lease_until = 1, claim, until
    reply.pk = _write([reply], SENDING)


def write_by_hand(reply: Reply, state: ReplyState) -> None:
    """A new row outside of any turn. It knows its id then."""
    _begin_in(state, [reply])
    reply.pk = _BY_HAND.run([(*_values_of(reply), reply.draft_key)]).row_id


def _write(replies: Sequence[Reply], state: ReplyState) -> int:
    _begin_in(state, replies)
    return _REPLY.run([_values_of(reply) for reply in replies]).row_id


def _begin_in(state: ReplyState, replies: Sequence[Reply]) -> None:
    assert state in BEGINNINGS
    for reply in replies:
        reply.state = state


_CLAIM = (
    f"UPDATE {REPLY} SET {CLAIM.assigned}, tries = %s, claim = %s, lease_until = %s,"
    f" begun_at = NULL WHERE id = %s AND {CLAIM.expected}"
)


def claim(reply: Reply, claim_id: str, until: datetime) -> bool:
    """`reply` as it was read. False: a waiting request carried it meanwhile."""
    if not run(_CLAIM, reply.tries + 1, claim_id, to_database(until), reply.pk):
        return False
    reply.state, reply.claim, reply.tries = SENDING, claim_id, reply.tries + 1
    return True


_BEGIN = (
    f"UPDATE {REPLY} SET begun_at = %s, lease_until = %s"
    f" WHERE id = %s AND state = {quoted(SENDING)} AND claim = %s AND lease_until > %s"
    f" AND EXISTS (SELECT 1 FROM {CONVERSATION} co JOIN {CUSTOMER} cu ON cu.id = co.customer_id"
    f" WHERE co.id = {REPLY}.conversation_id AND cu.subscribed AND"
    f" ({REPLY}.owner_version IS NULL OR {REPLY}.owner_version = co.owner_version))"
)


def begin(reply: Reply, now: datetime, until: datetime) -> bool:
    """The HTTP call begins. False: it must not, the row is no longer ours to send."""
    moment = to_database(now)
    return run(_BEGIN, moment, to_database(until), reply.pk, reply.claim, moment) == 1


def claimed_for(message_id: int, claim_id: str) -> Reply | None:
    """The text that a lost run of this claim wrote, if it is still ours to send."""
    return Reply.objects.filter(not_begun(), message_id=message_id, claim=claim_id).first()


_HAS_UNSENT = (
    f"SELECT 1 FROM {REPLY} WHERE conversation_id = %s"
    f" AND state IN ({quoted(READY, SENDING, WAITING)}) LIMIT 1"
)


def has_unsent(conversation_id: int) -> bool:
    return bool(read(_HAS_UNSENT, conversation_id))


def take_back(reply: Reply) -> bool:
    """Our own, whose call did not begin after all: the next claim may have it, and this one was no
    try. The note that it began may be there; its OK was lost.
    """
    return _free(_of_claim(NOT_BEGUN, reply))


def let_go(reply: Reply) -> bool:
    """Another process's, as it was read: its call had not begun."""
    return _free(_of_claim(LET_GO, reply).filter(not_begun()))


def _free(row: QuerySet[Reply]) -> bool:
    return row.update(state=READY, begun_at=None, claim="", tries=F("tries") - 1) == 1


_ACCEPT = (
    f"UPDATE {REPLY} SET {ACCEPT.assigned}, channel = {quoted(Channel.API)}, sent_at = %s,"
    f" reason = '' WHERE id = %s AND {ACCEPT.expected}"
)


def accept(reply: Reply, now: datetime) -> bool:
    """Also where the sweep has given us up: that WeChat took it is the truth."""
    return run(_ACCEPT, to_database(now), reply.pk) == 1


def try_later(reply: Reply, due_at: datetime, reason: str, *, counts: bool = True) -> bool:
    tries = reply.tries if counts else reply.tries - 1
    return _refused(TRY_LATER, reply, reason, due_at=due_at, tries=tries)


def refuse_now(reply: Reply, reason: str) -> bool:
    return _refused(REFUSE_NOW, reply, reason)


def refuse(reply: Reply, reason: str) -> bool:
    return _refused(REFUSE, reply, reason)


def lose_sight(reply: Reply, now: datetime, reason: str) -> bool:
    return (
        _of_claim(LOSE_SIGHT, reply).update(
            state=LOSE_SIGHT.after, channel=Channel.API, sent_at=now, reason=reason
        )
        == 1
    )


def _refused(transition: Transition, reply: Reply, reason: str, **values: object) -> bool:
    """WeChat did not take it, so nobody has read it, whatever the sweep has thought meanwhile.

    The claim is over: a former release that takes the row next names none, and would pass for this
    one, which has not begun.
    """
    return (
        _of_claim(transition, reply).update(
            state=transition.after,
            claim="",
            channel=Channel.NONE,
            sent_at=None,
            begun_at=None,
            reason=reason,
            **values,
        )
        == 1
    )


def _of_claim(transition: Transition, reply: Reply) -> QuerySet[Reply]:
    return transition.rows().filter(pk=reply.pk, claim=reply.claim)


def fail_behind(reply: Reply, reason: str) -> int:
    """The second half of an answer without the first says nothing, or something false."""
    if reply.message_id is not None:
        of_the_set = Q(message_id=reply.message_id)
    elif reply.draft_key is not None:
        of_the_set = Q(draft_key=reply.draft_key)
    else:
        return 0
    behind = FAIL_BEHIND.rows().filter(of_the_set, part__gt=reply.part)
    return behind.update(state=FAIL_BEHIND.after, reason=reason)


def hold_back(rows: QuerySet[Reply]) -> int:
    return rows.filter(state__in=HOLD_BACK.before).update(state=HOLD_BACK.after)


_BRING_UP = (
    f"UPDATE {REPLY} SET {BRING_UP.assigned}, due_at = %s"
    f" WHERE conversation_id = %s AND {BRING_UP.expected}"
)


def bring_up(conversation_id: int, now: datetime) -> int:
    return run(_BRING_UP, to_database(now), conversation_id)


def rest(reply_ids: Collection[int], at_rest: ReplyState, now: datetime) -> None:
    """What did not fit the reply to a push: it goes out behind it, or waits for the next one."""
    if not reply_ids:
        return
    rows = Reply.objects.filter(pk__in=reply_ids)
    if at_rest == BRING_UP.after:
        rows.filter(state__in=(READY, WAITING)).update(state=BRING_UP.after, due_at=now)
    else:
        hold_back(rows)


def carry(reply_ids: Sequence[int], now: datetime) -> None:
    """They are in the reply to a push."""
    if not reply_ids:
        return
    run(
        f"UPDATE {REPLY} SET {CARRY.assigned}, channel = {quoted(Channel.PASSIVE)}, sent_at = %s"
        f" WHERE id IN ({marks(reply_ids)}) AND {CARRY.expected}",
        to_database(now),
        *reply_ids,
    )


def unread(rows: QuerySet[Reply], at_rest: ReplyState, now: datetime) -> int:
    """The push was answered with something else than these: nobody has read them."""
    transition = UNREAD_READY if at_rest == READY else UNREAD_WAITING
    return rows.filter(state__in=transition.before).update(
        state=transition.after, channel=Channel.NONE, sent_at=None, due_at=now
    )


def withdraw(reply: Reply) -> None:
    """Of an owner before the one that the conversation has now."""
    WITHDRAW.rows().filter(pk=reply.pk).update(state=WITHDRAW.after)


def not_begun() -> Q:
    """Claimed, and the call to WeChat has not begun."""
    return Q(state=SENDING, begun_at=None) & ~Q(claim="")


def withdrawable(conversation: Conversation) -> QuerySet[Reply]:
    """What the bot has said and nobody has begun to send."""
    return conversation.replies.filter(
        Q(state__in=WITHDRAW.before) | not_begun(), author=Author.BOT
    )


def withdraw_locked(reply_ids: Collection[int]) -> int:
    """Rows that were locked as `withdrawable`. Returns how many of them were claimed already."""
    rows = Reply.objects.filter(pk__in=reply_ids)
    claimed = rows.filter(state__in=WITHDRAW_CLAIMED.before).update(state=WITHDRAW_CLAIMED.after)
    rows.filter(state__in=WITHDRAW.before).update(state=WITHDRAW.after)
    return claimed


def withdraw_all(conversation_id: int, reason: str) -> None:
    """Whatever nobody has begun to send, whoever said it. The rows are locked by their primary key,
    as everybody locks them.
    """
    unsent = Q(state__in=WITHDRAW.before) | not_begun()
    found = Reply.objects.filter(unsent, conversation=conversation_id).values_list("pk", flat=True)
    rows = Reply.objects.filter(unsent, pk__in=sorted(found))
    rows.update(state=WITHDRAW.after, reason=reason)


def expire(reply: Reply, reason: str) -> bool:
    return EXPIRE.rows().filter(pk=reply.pk).update(state=EXPIRE.after, reason=reason) == 1


def lost_before_their_call(now: datetime) -> QuerySet[Reply]:
    """Claimed by a process that died, or stood still, before it began the call."""
    return Reply.objects.filter(not_begun(), lease_until__lt=now)


def lose_sight_of_all(now: datetime, reason: str) -> int:
    """Of rows whose process died in the call. WeChat has no idempotency key: never sent again."""
    begun = LOSE_SIGHT.rows().filter(~not_begun(), lease_until__lt=now)
    return begun.update(state=LOSE_SIGHT.after, channel=Channel.API, reason=reason)
