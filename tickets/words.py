"""What the customer is told when a person takes over: true words, with what happens next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from conversations.models import Owner
from conversations.replies.links import say_with_link
from conversations.replies.routes import route_of
from conversations.texts import say_text
from conversations.turns.claims import Turn
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


def handover(turn: Turn, ticket: Ticket, reason: Reason, there: Collection[int]) -> str:
    """The word for a handover. Where the answer can only come with a push of the customer, it says
    how to see it.
    """
    return _with_look_link(turn, _handover(ticket, reason, there))


def _with_look_link(turn: Turn, text: str) -> str:
    if not text or route_of(turn.account).calls_wechat:
        return text
    look = say_with_link("handover_look", "agent_receipt_link", turn.account_id)
    return f"{text}\n{look}"


def _handover(ticket: Ticket, reason: Reason, there: Collection[int]) -> str:
    """A place in the queue is only promised while the agent who got the ticket is there to serve
    it.
    """
    account_id = ticket.conversation.account_id
    is_there = ticket.assignee_id in there
    if reason != Reason.CUSTOMER_ASKED:
        moment = _MOMENT_OF_REASON[reason]
        if not is_there:
            moment = _WITH_NOBODY_THERE.get(moment, moment)
        return say_text(moment, account_id, number=ticket.number)
    if not is_there:
        return say_text("handover_waiting", account_id, number=ticket.number)
    before = waiting_before(ticket)
    return say_text(
        "handover" if before else "handover_next", account_id, n=before, number=ticket.number
    )


def receipt(turn: Turn, ticket: Ticket, now: datetime, there: Collection[int]) -> str:
    """The word for a message that goes onto a ticket; "" where silence is right."""
    conversation = turn.conversation
    route = route_of(turn.account)
    if route.waits_for_push and conversation.replies.waiting_for_customer().exists():
        return ""  # What waits goes out with this very message, and says more.
    if conversation.owner == Owner.QUEUE:
        return _with_look_link(turn, _waiting_word(turn, ticket, now, there))
    if route.calls_wechat:
        return ""
    if conversation.receipt_at is not None and now - conversation.receipt_at < RECEIPT_EVERY:
        return ""
    return say_with_link("agent_receipt", "agent_receipt_link", turn.account_id)


def _waiting_word(turn: Turn, ticket: Ticket, now: datetime, there: Collection[int]) -> str:
    """How to end the wait once, then a short word now and then. Who asks for a person again at once
    was just told.
    """
    told_at = turn.conversation.receipt_at
    just_told = now - (told_at or ticket.created_at) < WAITING_WORD_EVERY
    if told_at is None and not (just_told and turn.message.wants_human):
        moment = "still_waiting"
        if ticket.assignee_id not in there:
            moment = _WITH_NOBODY_THERE[moment]
        return say_text(moment, turn.account_id)
    return "" if just_told else say_text("waiting_on", turn.account_id)
