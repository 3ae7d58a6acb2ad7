"""Passive replies: what the waiting request of a push may say, decided for a whole batch in one
transaction.

WeChat shows one reply per push, repeats a push that got none, and shows a failure notice when the
last delivery got none. So the row remembers what its push was answered with, and a repeat gets the
same again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from django.db import connection, transaction

from common import clock
from common.database_threads import database_work
from common.deadline import still_before
from conversations.metrics import count_sends
from conversations.models import OPEN_STATES, Channel, Ending, Hold, ReplyState
from conversations.moments import MORE, THINKING
from conversations.replies import states
from conversations.replies.noted_late import note_late
from conversations.replies.parts import MESSAGE_BYTES, byte_length
from conversations.replies.routes import Route, route_of_id
from conversations.replies.wording import in_words, ready_words
from conversations.sql import MESSAGE, REPLY, Row, for_update, marks, quoted, read, run

# look: a reply may be there. release: an API account's hold is over. last: WeChat will not deliver
# this push again. told: the push was answered with `told` before any of these could be decided; the
# rows must follow.
Phase = Literal["look", "release", "last", "told"]


@dataclass(frozen=True)
class Fetch:
    message_id: int
    phase: Phase
    told: str = ""


@dataclass(frozen=True)
class PassiveReply:
    """What to write on the connection now. `text` None: nothing yet, keep holding. "": the word
    `success`.

    `deliver` is a conversation with further parts for the customer-service API.
    """

    text: str | None
    deliver: int | None = None


PENDING = PassiveReply(None)
SUCCESS = PassiveReply("")


def thinking_text(account_id: int) -> str:
    """For the last delivery of a push that has no answer yet: a link to tap, and
    the words to type.
    """
    return ready_words(THINKING, account_id)


@database_work
def fetch_replies(fetches: Sequence[Fetch], latest: float = inf) -> list[PassiveReply]:
    """One outcome per fetch, in their order. Two fetches on the same push get the same body.

    Nothing is committed after `latest`: who asked has written something else by then.

    The messages' rows are locked first, in the order of their ids: `say` locks the same row before
    it writes replies, so an answer comes either before this look or sees what the push was ended
    with.
    """
    with transaction.atomic():
        batch = _read(fetches)
        outcomes: dict[int, PassiveReply] = {}
        for fetch in fetches:
            known = outcomes.get(fetch.message_id)
            if fetch.phase != "told" and (known is None or known.text is None):
                push = batch.pushes[fetch.message_id]
                outcomes[push.id] = batch.serve(push, fetch.phase)
        batch.write()
        for fetch in fetches:
            if fetch.phase == "told":
                outcomes[fetch.message_id] = PassiveReply(
                    fetch.told, note_late(fetch.message_id, fetch.told)
                )
        still_before(latest)
    return [outcomes[fetch.message_id] for fetch in fetches]


@dataclass(frozen=True)
class _Push:
    id: int
    account_id: int
    conversation_id: int | None
    state: str
    ended_with: str
    passive_text: str


def _read(fetches: Sequence[Fetch]) -> _Batch:
    pushes = [_Push(*row) for row in lock_messages(list({fetch.message_id for fetch in fetches}))]
    is_last = {fetch.message_id for fetch in fetches if fetch.phase == "last"}
    unended = [push for push in pushes if push.ended_with == Ending.OPEN]
    answered = [push for push in unended if push.state not in OPEN_STATES]
    carrying = [push for push in unended if push.state not in OPEN_STATES or push.id in is_last]
    conversation_ids = {
        push.conversation_id for push in carrying if push.conversation_id is not None
    }
    return _Batch(
        {push.id: push for push in pushes},
        ready=_by_owner(lock_ready_replies([push.id for push in answered]) if answered else []),
        waiting=_by_owner(
            lock_waiting_replies(sorted(conversation_ids)) if conversation_ids else []
        ),
    )


def _by_owner(rows: Iterable[tuple[int, int, str]]) -> dict[int, list[_Text]]:
    """Texts by what they belong to (a message, a conversation)."""
    texts: dict[int, list[_Text]] = defaultdict(list)
    for owner_id, reply_id, text in rows:
        texts[owner_id].append(_Text(reply_id, text))
    return texts


@dataclass(frozen=True)
class _Text:
    reply_id: int
    text: str


class _Batch:
    """Serves the fetches of one transaction and keeps what has to be written for all of them."""

    def __init__(
        self,
        pushes: dict[int, _Push],
        *,
        ready: dict[int, list[_Text]],
        waiting: dict[int, list[_Text]],
    ) -> None:
        self.pushes = pushes
        self._ready = ready
        self._waiting = waiting
        self._now = clock.now()
        self._ended: list[tuple[str, str, int]] = []
        self._released: list[int] = []
        self._sent: list[int] = []
        # The texts that did not fit, by the state in which they wait for what comes next.
        self._left: dict[ReplyState, list[int]] = defaultdict(list)

    def serve(self, push: _Push, phase: Phase) -> PassiveReply:
        if push.ended_with != Ending.OPEN:
            return PassiveReply(push.passive_text)
        is_open = push.state in OPEN_STATES
        if is_open and phase == "look":
            return PENDING
        if is_open and phase == "release":
            self._released.append(push.id)
            return SUCCESS
        tail = thinking_text(push.account_id) if is_open else ""
        texts = self._waiting.pop(push.conversation_id or 0, []) + self._ready.pop(push.id, [])
        return self._carry(push, texts, tail) if texts else self._end(push, tail)

    def _carry(self, push: _Push, texts: list[_Text], tail: str) -> PassiveReply:
        """As many texts as fit, oldest first; the rest waits for the next push, or for the API."""
        route = route_of_id(push.account_id)
        text, count = compose(route, push.account_id, [text.text for text in texts], tail)
        left = [text.reply_id for text in texts[count:]]
        self._sent += [text.reply_id for text in texts[:count]]
        self._left[route.at_rest].extend(left)
        goes_on = left and route.calls_wechat
        return self._end(push, text, push.conversation_id if goes_on else None)

    def _end(self, push: _Push, text: str, deliver: int | None = None) -> PassiveReply:
        ending = Ending.TEXT if text else Ending.SUCCESS
        self._ended.append((str(ending), text, push.id))
        return PassiveReply(text, deliver)

    def write(self) -> None:
        if self._ended:
            end_pushes(self._ended)
        if self._released:
            release_pushes(self._released)
        states.carry(self._sent, self._now)
        count_sends(Channel.PASSIVE, ReplyState.SENT, len(self._sent))
        for state, reply_ids in self._left.items():
            states.rest(reply_ids, state, self._now)


def compose(route: Route, account_id: int, texts: Sequence[str], tail: str = "") -> tuple[str, int]:
    """The body of one passive reply, and how many of the texts are in it: at least the first.

    Where the rest can only be fetched by the customer, the body ends with the link that fetches it.
    """
    text, count = _fit(texts, tail)
    if count < len(texts) and not tail and route.waits_for_push:
        tail = in_words(MORE, account_id)
        text, count = _fit(texts, tail)
    return text, count


def _fit(texts: Sequence[str], tail: str) -> tuple[str, int]:
    """The first texts, joined by blank lines, that fit one message together with `tail`, and how
    many they are.

    At least one: a single text is never longer than a part, which leaves room for any tail.
    """
    limit = MESSAGE_BYTES - byte_length(tail) - 1
    joined, count = texts[0], 1
    for following in texts[1:]:
        longer = f"{joined}\n\n{following}"
        if byte_length(longer) > limit:
            break
        joined, count = longer, count + 1
    return (f"{joined}\n{tail}" if tail else joined), count


def lock_messages(message_ids: Sequence[int]) -> list[Row]:
    """Rows of (id, account_id, conversation_id, state, ended_with, passive_text), locked in the
    order of their ids.
    """
    return read(
        f"SELECT id, account_id, conversation_id, state, ended_with, passive_text FROM {MESSAGE}"
        f" WHERE id IN ({marks(message_ids)}) ORDER BY id{for_update()}",
        *message_ids,
    )


def lock_ready_replies(message_ids: Sequence[int]) -> list[Row]:
    """Rows of (message_id, id, text)."""
    found = read(
        f"SELECT message_id, id, text FROM {REPLY}"
        f" WHERE message_id IN ({marks(message_ids)}) AND state = {quoted(ReplyState.READY)}"
        " ORDER BY part",
        *message_ids,
    )
    return _locked_replies(found, ReplyState.READY)


def lock_waiting_replies(conversation_ids: Sequence[int]) -> list[Row]:
    """Rows of (conversation_id, id, text), oldest first."""
    found = read(
        f"SELECT conversation_id, id, text FROM {REPLY}"
        f" WHERE conversation_id IN ({marks(conversation_ids)})"
        f" AND state = {quoted(ReplyState.WAITING_FOR_CUSTOMER)} ORDER BY created_at, id",
        *conversation_ids,
    )
    return _locked_replies(found, ReplyState.WAITING_FOR_CUSTOMER)


def _locked_replies(found: list[Row], state: ReplyState) -> list[Row]:
    """Those that are still in this state, locked by their primary key: a locking read by another
    index takes its locks in the other order than an UPDATE does, and the two wait for each other.
    """
    if not found or not for_update():
        return found
    reply_ids = sorted(reply_id for _owner_id, reply_id, _text in found)
    locked = {
        reply_id
        for (reply_id,) in read(
            f"SELECT id FROM {REPLY} WHERE id IN ({marks(reply_ids)}) AND state = %s ORDER BY id "
            "FOR UPDATE",
            *reply_ids,
            str(state),
        )
    }
    return [row for row in found if row[1] in locked]


def end_pushes(rows: Sequence[tuple[str, str, int]]) -> None:
    """`(ended_with, passive_text, message_id)` each."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {MESSAGE} SET ended_with = %s, passive_text = %s WHERE id = %s", rows
        )


def release_pushes(message_ids: Sequence[int]) -> None:
    """Ended with `success` before there was an answer: what comes now goes out by the API."""
    run(
        f"UPDATE {MESSAGE} SET hold = {quoted(Hold.RELEASED)},"
        f" ended_with = {quoted(Ending.SUCCESS)} WHERE id IN ({marks(message_ids)})",
        *message_ids,
    )
