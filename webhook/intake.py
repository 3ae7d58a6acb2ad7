"""Taking in pushes: throttle, then store one flat row each, a batch by one INSERT. From here on a
message is safe.

Customer and conversation are attached later. A push that is already there is a repeat: its row says
what to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from math import inf
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from common.database_threads import database_work
from common.deadline import still_before
from common.text import Words
from conversations.ids import new_id
from conversations.models import Conversation, Ending, Hold, Message, MessageState, Owner
from conversations.replies.wording import in_words
from conversations.saying import Saying
from conversations.turns.arriving import insert_messages
from webhook import one_body, refusals, throttle
from webhook.one_body import PlainBody
from webhook.throttle import UNLIMITED, Counted, MinuteCount

TRIES_WITH_NEW_ID = 3
# Past this many deliveries of one push (WeChat makes three) they are not counted any more: a column
# has an end, the repeats of somebody who has one URL have none.
MOST_DELIVERIES = 1000


@dataclass(frozen=True, slots=True)
class Push:
    """One delivery, ready to store: lengths are checked and unknown characters are gone."""

    account_id: int
    account_slug: str  # as the log names the account
    openid: str
    dedup_key: str
    kind: str
    words: Words
    fields: dict[str, Any]
    raw: str
    wants_human: bool
    sent_at: datetime
    received_at: datetime
    hold_until: datetime | None
    needs_answer: bool
    counts: bool  # against the throttle: messages, clicks and what is kept raw
    plain: PlainBody | None = None  # what a plain push is known by; a sealed one needs nothing
    request_id: int | None = None  # what the proxy calls the request that brought it
    id: int = field(default_factory=new_id)

    @property
    def key(self) -> tuple[int, str]:
        return self.account_id, self.dedup_key

    def stored_message(self) -> Message:
        """The row as it was written, without reading it again."""
        message = Message(
            id=self.id,
            account_id=self.account_id,
            openid=self.openid,
            dedup_key=self.dedup_key,
            kind=self.kind,
            text=self.words.text,
            fields=self.fields,
            sent_at=self.sent_at,
            received_at=self.received_at,
        )
        message.words = self.words
        return message


class Verdict(Enum):
    NEW = "new"
    REPEAT = "repeat"
    TOO_MANY = "too many"
    FORGED = "forged"
    NOT_KEPT = "not kept"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a push. `ended` with its `passive_text` is what an earlier delivery was
    answered with.
    """

    verdict: Verdict
    message_id: int
    deliveries: int = 1
    to_answer: bool = False
    ended: bool = False
    passive_text: str = ""
    seconds_left: int = 0
    # The proxy brings a request again that another web process did not answer, this long after its
    # beginning.
    began_earlier: float = 0.0


@database_work
def take_in(pushes: Sequence[Push], latest: float = inf) -> list[Taken]:
    """Store a batch, equal keys joined; one outcome per push, in order. Nothing is committed after
    `latest`.
    """
    forged = _forged(pushes)
    genuine = [push for push in pushes if push.id not in forged] if forged else pushes
    taken = _take_in(genuine, latest) if genuine else {}
    return [forged.get(push.id) or taken[push.key] for push in pushes]


def _forged(pushes: Sequence[Push]) -> dict[int, Taken]:
    """Those with another body than the one that their signature came with first, by the push's own
    id.
    """
    plain = [(push, push.plain) for push in pushes if push.plain is not None]
    if not plain:
        return {}
    firsts = one_body.are_first([(push.account_id, body) for push, body in plain])
    return {
        push.id: Taken(Verdict.FORGED, 0)
        for (push, _), is_first in zip(plain, firsts, strict=True)
        if not is_first
    }


def _take_in(pushes: Sequence[Push], latest: float) -> dict[tuple[int, str], Taken]:
    first_of: dict[tuple[int, str], Push] = {}
    for push in pushes:
        first_of.setdefault(push.key, push)
    rows = list(first_of.values())
    counts = _counts(rows)
    refused = _refused(rows, counts)
    storable = [row for row in rows if row.key not in refused]
    with transaction.atomic():
        taken = _store(storable, counts) if storable else {}
        for again in pushes:
            first = first_of[again.key]
            if again.key in taken and again is not first and not _is_same_request(again, first):
                taken[again.key] = _count_delivery(taken[again.key], again)
        still_before(latest)
    taken.update(refused)
    return taken


def _is_same_request(again: Push, first: Push) -> bool:
    return again.request_id is not None and again.request_id == first.request_id


def _counts(rows: Sequence[Push]) -> dict[tuple[int, str], MinuteCount]:
    counted = [row for row in rows if row.counts]
    found = throttle.counts(
        [Counted(row.account_id, row.openid, row.dedup_key, row.needs_answer) for row in counted]
    )
    return {row.key: count for row, count in zip(counted, found, strict=True)}


def _refused(
    rows: Sequence[Push], counts: dict[tuple[int, str], MinuteCount]
) -> dict[tuple[int, str], Taken]:
    """Those past the limit: never a message that we know, nor a customer whom a person serves."""
    refused = {}
    for row in rows:
        count = counts.get(row.key, UNLIMITED)
        if count.is_too_many and not _is_exempt(row):
            refusals.note(row.account_slug, f"{row.openid} sends too fast ({count.number})")
            if not row.needs_answer:
                refused[row.key] = Taken(Verdict.NOT_KEPT, 0)
            elif not count.is_first_too_many:
                refused[row.key] = Taken(Verdict.TOO_MANY, 0, seconds_left=count.seconds_left)
        else:
            counts.pop(row.key, None)
    return refused


def _is_exempt(row: Push) -> bool:
    with_agent = Conversation.objects.filter(
        customer__account_id=row.account_id, customer__openid=row.openid, owner=Owner.AGENT
    )
    known = Message.objects.filter(account_id=row.account_id, dedup_key=row.dedup_key)
    return known.exists() or with_agent.exists()


class NotStored(Exception):
    """The INSERT left a row out that is no repeat: the database ignores more than equal keys."""


def _store(
    rows: list[Push], counts: dict[tuple[int, str], MinuteCount], *, tries: int = TRIES_WITH_NEW_ID
) -> dict[tuple[int, str], Taken]:
    """One INSERT that leaves known keys alone. When all rows went in, all were new, and nothing has
    to be read.
    """
    begins = {row.key: _begins_as(row, counts.get(row.key)) for row in rows}
    taken = {row.key: begins[row.key].taken(row) for row in rows}
    if insert_messages([_values(row, begins[row.key]) for row in rows]) == len(rows):
        return taken
    stored = _stored(rows)
    collided = [row for row in rows if row.key not in stored]
    # Another process made the same id in the same millisecond: once more with new ones.
    if collided:
        if not tries:
            raise NotStored(f"no row for {collided[0].key}")
        again = [replace(row, id=new_id()) for row in collided]
        return _store(
            [*(row for row in rows if row.key in stored), *again], counts, tries=tries - 1
        )
    for row in rows:
        message = stored[row.key]
        if message.pk != row.id:
            taken[row.key] = _take_again(message, row)
    return taken


class _Beginning(NamedTuple):
    """The state that a new row begins in, in the database's words."""

    state: str
    hold: str
    ended_with: str
    passive_text: str = ""

    def taken(self, row: Push) -> Taken:
        return Taken(
            Verdict.NEW,
            row.id,
            to_answer=self.state == MessageState.RECEIVED,
            ended=self.ended_with != Ending.OPEN,
            passive_text=self.passive_text,
        )


_WAITED_FOR = _Beginning(MessageState.RECEIVED.value, Hold.WAITING.value, Ending.OPEN.value)
_ANSWERED_LATER = _Beginning(MessageState.RECEIVED.value, Hold.RELEASED.value, Ending.SUCCESS.value)
_JUST_KEPT = _Beginning(MessageState.IGNORED.value, Hold.NONE.value, Ending.SUCCESS.value)


def _begins_as(row: Push, count: MinuteCount | None) -> _Beginning:
    """The first message too many is stored with the word it was answered with."""
    if count is not None and count.is_first_too_many:
        words = in_words(Saying("too_many"), row.account_id)
        return _Beginning(MessageState.IGNORED.value, Hold.WAITING.value, Ending.TEXT.value, words)
    if not row.needs_answer:
        return _JUST_KEPT
    return _WAITED_FOR if row.hold_until is not None else _ANSWERED_LATER


def _values(row: Push, begins: _Beginning) -> list[Any]:
    """In the order of `arriving.MESSAGE_COLUMNS`."""
    return [
        row.id,
        row.account_id,
        row.openid,
        row.dedup_key,
        row.kind,
        row.words.text,
        row.fields,
        row.raw,
        row.wants_human,
        row.sent_at,
        row.received_at,
        begins.state,
        begins.hold,
        row.hold_until,
        begins.ended_with,
        begins.passive_text,
        row.request_id,
    ]


def _stored(rows: Sequence[Push]) -> dict[tuple[int, str], Message]:
    accounts = {row.account_id for row in rows}
    keys = [row.dedup_key for row in rows]
    found = Message.objects.filter(account_id__in=accounts, dedup_key__in=keys).only(
        "account_id",
        "dedup_key",
        "deliveries",
        "ended_with",
        "passive_text",
        "hold_until",
        "request_id",
    )
    return {(message.account_id, message.dedup_key): message for message in found}


def _repeat(message: Message) -> Taken:
    return Taken(
        Verdict.REPEAT,
        message.pk,
        deliveries=message.deliveries,
        ended=message.ended_with != Ending.OPEN,
        passive_text=message.passive_text,
    )


def _take_again(message: Message, push: Push) -> Taken:
    """Another delivery of WeChat, or another try of the proxy in front of us with the one that we
    have.
    """
    taken = _repeat(message)
    if push.request_id is None or push.request_id != message.request_id:
        return _count_delivery(taken, push)
    if push.hold_until is None or message.hold_until is None:
        return taken
    earlier = push.hold_until - message.hold_until
    return replace(taken, began_earlier=max(earlier.total_seconds(), 0.0))


def _count_delivery(taken: Taken, push: Push) -> Taken:
    """A repeat stands open for the reply in its turn, unless the push was ended."""
    rows = Message.objects.filter(pk=taken.message_id)
    one_more = Least(F("deliveries") + 1, MOST_DELIVERIES)
    values: dict[str, Any] = {"deliveries": one_more, "request_id": push.request_id}
    if not taken.ended and push.hold_until is not None:
        values.update(hold=Hold.WAITING, hold_until=push.hold_until)
    rows.update(**values)
    return replace(taken, deliveries=min(taken.deliveries + 1, MOST_DELIVERIES))


def too_many_status() -> int:
    """200 is sent as the word `success`: what WeChat shows for other codes is not documented."""
    return int(settings.RATE_LIMIT_STATUS)
