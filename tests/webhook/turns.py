"""Messages in our hands, and who serves their customer: for the tests of the flow."""

from __future__ import annotations

from conversations.models import (
    Conversation,
    Message,
    Owner,
    Reply,
)
from conversations.turns.leases import Turn
from tests.factories import held_turn, next_turn
from tickets import services as tickets
from tickets.models import Agent, Reason, Ticket

UNKNOWN = "你们支持用比特币付款买二手火箭吗"
TAP = {"bizmsgmenuid": "wechatbot-look"}


def said() -> list[tuple[str, str]]:
    return [(reply.author, reply.text) for reply in Reply.objects.order_by("pk")]


def texts() -> list[str]:
    return [text for _author, text in said()]


def state_of(turn: Turn) -> str:
    return Message.objects.get(pk=turn.message.pk).state


def owned_by(owner: Owner, turn: Turn) -> Turn:
    """The conversation is served by `owner` since before we took the message."""
    Conversation.objects.filter(pk=turn.conversation.pk).update(owner=owner)
    turn.conversation.refresh_from_db()
    return turn


def queued_turn(text: str, **values: object) -> Turn:
    """The customer waits for a person, was told so, and writes."""
    turn = held_turn(text=UNKNOWN)
    tickets.hand_over(turn, reason=Reason.NOTHING_MATCHED)
    return next_turn(turn.conversation, text, **values)


def served_turn(agent: Agent, text: str, *, passive: bool = False, **values: object) -> Turn:
    """An agent serves the customer, who writes."""
    turn = held_turn(text=UNKNOWN, passive=passive)
    ticket = tickets.hand_over(turn, reason=Reason.NOTHING_MATCHED)
    tickets.take(ticket, agent)
    return next_turn(turn.conversation, text, **values)


def agent_takes_over(turn: Turn, agent: Agent) -> None:
    """As the desk does it, with rows of its own."""
    conversation = Conversation.objects.get(pk=turn.conversation.pk)
    ticket = Ticket.objects.create(
        number="1",
        reason=Reason.CUSTOMER_ASKED,
        customer=turn.customer,
        conversation=conversation,
        open_for=conversation,
    )
    tickets.take(ticket, agent)
