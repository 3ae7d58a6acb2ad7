"""What the customer is told when a person takes over: true words, with what happens next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from conversations.models import Owner
from conversations.replies.routes import route_of
from conversations.saying import Lines, LookLink, Sayable, Saying
from conversations.turns.leases import Turn
from tickets.models import Reason, Ticket
from tickets.routing import waiting_before

# On an account without the customer-service API each push could bring a receipt; one in ten minutes
# is enough.
RECEIPT_EVERY = timedelta(minutes=10)
# Who waits in the queue and writes again hears that the wait goes on, but not with every word.
WAITING_WORD_EVERY = timedelta(minutes=5)

_MOMENT_OF_REASON = {
    Reason.NOTHING_MATCHED: "unknown",
    Reason.MODEL_UNSURE: "unknown",
    Reason.MODEL_DOWN: "model_busy",
    Reason.MODEL_BUSY: "model_busy",
    Reason.BROKEN: "model_busy",
}
# Words that name no person who is there now.
_WITH_NOBODY_THERE = {"unknown": "unknown_waiting", "still_waiting": "still_waiting_away"}


def handover(turn: Turn, ticket: Ticket, reason: Reason, there: Collection[int]) -> list[Sayable]:
    """The word for a handover. Where the answer can only come with a push of the customer, it says
    how to see it.
    """
    return [_with_look_link(turn, _handover(ticket, reason, there))]


def _with_look_link(turn: Turn, said: Saying) -> Sayable:
    if route_of(turn.account).calls_wechat:
        return said
    return Lines((said, Saying("handover_look", link=LookLink("agent_receipt_link"))))


def _handover(ticket: Ticket, reason: Reason, there: Collection[int]) -> Saying:
    """A place in the queue is only promised while the agent who got the ticket is there to serve
    it.
    """
    is_there = ticket.assignee_id in there
    if reason != Reason.CUSTOMER_ASKED:
        moment = _MOMENT_OF_REASON[reason]
        if not is_there:
            moment = _WITH_NOBODY_THERE.get(moment, moment)
        return Saying(moment, number=ticket.number)
    if not is_there:
        return Saying("handover_waiting", number=ticket.number)
    before = waiting_before(ticket)
    if not before:
        return Saying("handover_next", number=ticket.number)
    return Saying("handover", n=before, number=ticket.number)


def receipt(turn: Turn, ticket: Ticket, now: datetime, there: Collection[int]) -> list[Sayable]:
    """The word for a message that goes onto a ticket; none where silence is right."""
    conversation = turn.conversation
    route = route_of(turn.account)
    if route.waits_for_push and conversation.replies.waiting_for_customer().exists():
        return []  # What waits goes out with this very message, and says more.
    if conversation.owner == Owner.QUEUE:
        waiting_words = _waiting_words(turn, ticket, now, there)
        return [_with_look_link(turn, said) for said in waiting_words]
    if route.calls_wechat:
        return []
    if conversation.receipt_at is not None and now - conversation.receipt_at < RECEIPT_EVERY:
        return []
    return [Saying("agent_receipt", link=LookLink("agent_receipt_link"))]


def _waiting_words(
    turn: Turn, ticket: Ticket, now: datetime, there: Collection[int]
) -> list[Saying]:
    """How to end the wait once, then a short word now and then. Who asks for a person again at once
    was just told.
    """
    told_at = turn.conversation.receipt_at
    just_told = now - (told_at or ticket.created_at) < WAITING_WORD_EVERY
    if told_at is None and not (just_told and turn.message.wants_human):
        moment = "still_waiting"
        if ticket.assignee_id not in there:
            moment = _WITH_NOBODY_THERE[moment]
        return [Saying(moment)]
    return [] if just_told else [Saying("waiting_on")]
