"""The whole conversation as an agent reads it: customer, bot, agents, and
what happened in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assistant.models import Source
from conversations.models import Author, Conversation, Message, Reply, ReplyState
from conversations.reasons import reason_words
from conversations.replies.links import is_tap
from tickets.models import EventKind, Ticket, TicketEvent
from wechat.incoming import Incoming
from wechat.replies import without_links
from wechat.traits import Line, Speech

Side = Literal["customer", "agent", "bot", "system"]

# One icon for each state, so that colour never says it alone.
STATE_ICONS = {
    ReplyState.READY: "schedule",
    ReplyState.SENDING: "schedule",
    ReplyState.SENT: "check",
    ReplyState.WAITING_FOR_CUSTOMER: "hourglass_top",
    ReplyState.WITHDRAWN: "undo",
    ReplyState.UNKNOWN: "help",
    ReplyState.FAILED: "error",
}
CLOSING = (EventKind.RESOLVED, EventKind.CANCELLED)


@dataclass(frozen=True)
class Bubble:
    """`day` is set on the first bubble of each day; `taps` counts the taps on our own link that one
    line stands for.
    """

    side: Side
    text: str
    at: datetime
    who: str = ""
    source: str = ""
    state: str = ""
    state_words: str = ""
    icon: str = ""
    reason: str = ""
    picture: str = ""
    day: str = ""
    taps: int = 0
    is_end: bool = False


@dataclass(frozen=True)
class Thread:
    bubbles: tuple[Bubble, ...]
    has_earlier: bool


def thread_of(ticket: Ticket, *, newest: int) -> Thread:
    """The `newest` bubbles of the customer's conversation, oldest first. A resolved ticket's ends
    at its resolution: what the customer and the bot wrote later is no part of it.
    """
    bubbles = _bubbles(ticket.conversation, ticket.resolved_at, newest + 1)
    bubbles.sort(key=lambda bubble: bubble.at)
    shown = [*_with_taps_folded(bubbles[-newest:]), *_end_of(ticket)]
    return Thread(tuple(_with_days(shown)), has_earlier=len(bubbles) > newest)


def _bubbles(conversation: Conversation, until: datetime | None, most: int) -> list[Bubble]:
    messages = conversation.messages.order_by("-received_at", "-pk")
    replies = conversation.replies.select_related("message").order_by("-created_at", "-pk")
    events = TicketEvent.objects.filter(ticket__conversation=conversation).select_related(
        "agent", "ticket"
    )
    events = events.order_by("-created_at", "-pk")
    if until is not None:
        messages = messages.filter(received_at__lte=until)
        replies = replies.filter(created_at__lte=until)
        events = events.filter(created_at__lt=until)
    # Of the same moment: what the customer wrote, what happened to the ticket, what was said.
    return [
        *(
            bubble
            for message in reversed(messages[:most])
            if (bubble := _of_message(message)) is not None
        ),
        *(Bubble("system", event.in_words, event.created_at) for event in reversed(events[:most])),
        *(_of_reply(reply) for reply in reversed(replies[:most]) if not _says_nothing_new(reply)),
    ]


def _end_of(ticket: Ticket) -> Iterable[Bubble]:
    if ticket.resolved_at is None:
        return
    closing = ticket.events.filter(kind__in=CLOSING).select_related("agent").last()
    if closing is None:
        return
    if closing.kind == EventKind.CANCELLED:
        text = _("客户取消了人工")
    else:
        text = _("已解决 · %(agent)s") % {"agent": closing.agent or "—"}
    yield Bubble("system", text, ticket.resolved_at, is_end=True)


def _of_message(message: Message) -> Bubble | None:
    look = message.push.traits.look
    if look is None:
        return None
    if isinstance(look, Line):
        return _line(message, look)
    if _is_tap(message):
        return Bubble("system", _("客户查看了回复"), message.received_at, taps=1)
    return _speech(message, look)


def _line(message: Message, look: Line) -> Bubble | None:
    push = message.push
    if look.needs and not getattr(push, look.needs):
        return None
    return Bubble("system", str(look.words).format(**vars(push)), message.received_at)


def _speech(message: Message, look: Speech) -> Bubble:
    push = message.push
    words = [str(look.words), message.text, *(getattr(push, name) for name in look.shows)]
    return Bubble(
        "customer",
        " ".join(filter(None, words)),
        message.received_at,
        picture=_picture(push, look),
    )


def _picture(push: Incoming, look: Speech) -> str:
    address = getattr(push, look.picture) if look.picture else ""
    return address if address.startswith(("http://", "https://")) else ""


def _is_tap(message: Message) -> bool:
    return is_tap(message.words, message.push.tapped)


def _says_nothing_new(reply: Reply) -> bool:
    """The system's own word for a tap that found no reply: part of the tap's line."""
    return reply.author == Author.SYSTEM and reply.message is not None and _is_tap(reply.message)


def _of_reply(reply: Reply) -> Bubble:
    side: Side = {Author.AGENT: "agent", Author.BOT: "bot"}.get(Author(reply.author), "system")  # type: ignore[assignment]
    state = ReplyState(reply.state)
    return Bubble(
        side,
        without_links(reply.text),
        reply.created_at,
        who=reply.agent_name if side == "agent" else (_("机器人") if side == "bot" else ""),
        source=str(Source(reply.source).label) if reply.source in Source.values else "",
        state=state.value,
        state_words=str(state.label),
        icon=STATE_ICONS[state],
        reason=reason_words(reply.reason),
    )


def _with_taps_folded(bubbles: Iterable[Bubble]) -> Iterable[Bubble]:
    """Several taps in a row are one line with their number, at the time of the last."""
    for is_of_taps, group in groupby(bubbles, key=lambda bubble: bubble.taps > 0):
        if not is_of_taps:
            yield from group
            continue
        *others, last = group
        count = len(others) + 1
        text = _("客户查看了 %(count)s 次回复") % {"count": count} if others else last.text
        yield replace(last, text=text, taps=count)


def _with_days(bubbles: Iterable[Bubble]) -> Iterable[Bubble]:
    last: date | None = None
    for bubble in bubbles:
        day = timezone.localtime(bubble.at).date()
        yield bubble if day == last else replace(bubble, day=_day_in_words(day))
        last = day


def _day_in_words(day: date) -> str:
    today = timezone.localdate()
    if day == today:
        return _("今天")
    if day == today - timedelta(days=1):
        return _("昨天")
    return date_format(day)
