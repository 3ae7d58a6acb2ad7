"""The stories of a ticket: a person is asked for, takes over, answers, and hands the customer back.

Each story is one transaction that locks the conversation first, so that two of them never
interleave: ticket, owner, state of the message and the word to the customer change together.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from common import clock
from common.database_threads import database_work
from conversations.models import Author, Conversation, Message, MessageState, Owner, Reply
from conversations.replies.by_hand import write_to_customer, written_under
from conversations.replies.owner import change_owner
from conversations.replies.parts import cut
from conversations.replies.say import say
from conversations.saying import Sayable, Saying
from conversations.turns.leases import Turn
from tickets import words
from tickets.models import Agent, EventKind, Priority, Reason, Status, Ticket, TicketEvent
from tickets.presence import agents_there
from tickets.routing import next_agent


class NoOpenTicket(Exception):
    """The wait or the service ended at this moment: the message is the bot's
    again. Claim it anew.
    """


class TicketClosed(Exception):
    """The ticket was resolved meanwhile."""


class SentInOtherWords(Exception):
    """Other words were written under the key of this draft: the draft was changed since."""


class TakenByAnother(Exception):
    """Another agent serves this customer."""

    def __init__(self, agent: Agent | None) -> None:
        super().__init__(str(agent))
        self.agent = agent


@database_work
def hand_over(turn: Turn, *, reason: Reason) -> Ticket:
    """A person must help: open a ticket or join the open one, and tell the customer."""
    there = agents_there()
    with transaction.atomic():
        return _hand_over(turn, _lock(turn.conversation), reason, there)


def _hand_over(
    turn: Turn, conversation: Conversation, reason: Reason, there: Collection[int]
) -> Ticket:
    open_one = _open_ticket(conversation)
    ticket = open_one or _new_ticket(turn, reason, there)
    _put_on(ticket, turn.message)
    said: list[Sayable] = []
    # Whose ticket is gone is served by nobody, whatever the conversation says.
    if conversation.owner == Owner.BOT or (open_one is None and conversation.owner == Owner.AGENT):
        ticket.messages.add(*change_owner(conversation, Owner.QUEUE))
    if conversation.owner == Owner.QUEUE:
        said = words.handover(turn, ticket, reason, there)
    say(turn, said, author=Author.SYSTEM, state=MessageState.HANDED_OVER)
    return ticket


@database_work
def show_broken(turn: Turn) -> Ticket:
    """A person should see a push that we failed to take in; its customer neither asked nor hears of
    it.
    """
    there = agents_there()
    with transaction.atomic():
        conversation = _lock(turn.conversation)
        ticket = _open_ticket(conversation) or _new_ticket(turn, Reason.BROKEN, there)
        _put_on(ticket, turn.message)
        say(turn, [], author=Author.SYSTEM, state=MessageState.HANDED_OVER)
    return ticket


@database_work
def add_message(turn: Turn) -> Ticket:
    """The customer writes while a person is asked for or serves: the message goes onto the open
    ticket.

    One that somebody deleted by hand is opened anew: the customer was promised a person.
    """
    there = agents_there()
    with transaction.atomic():
        conversation = _lock(turn.conversation)
        ticket = _open_ticket(conversation)
        if ticket is None:
            _refuse_for_bot(conversation)
            return _hand_over(turn, conversation, Reason.CUSTOMER_ASKED, there)
        _put_on(ticket, turn.message)
        _say_receipt(turn, ticket, there)
    return ticket


@database_work
def cancel(turn: Turn) -> Ticket | None:
    """The customer gives up the wait: the ticket is closed, the bot serves again and says so.

    None: somebody had deleted the ticket by hand.
    """
    with transaction.atomic():
        conversation = _lock(turn.conversation)
        ticket = _open_ticket(conversation)
        if ticket is None:
            _refuse_for_bot(conversation)
        else:
            ticket.messages.add(turn.message)
            _close(ticket, EventKind.CANCELLED, None)
        change_owner(conversation, Owner.BOT)
        say(turn, [Saying("waiting_cancelled")], author=Author.SYSTEM)
    return ticket


def _refuse_for_bot(conversation: Conversation) -> None:
    """Without a ticket: it was resolved at this moment."""
    if conversation.owner == Owner.BOT:
        raise NoOpenTicket(conversation.pk)


@database_work
def take(ticket: Ticket, agent: Agent, *, from_agent: Agent | None = None) -> None:
    """`agent` serves the customer from now on; the bot is silent. `from_agent`: whom it is
    knowingly taken from.
    """
    with transaction.atomic():
        conversation = _lock(ticket.conversation)
        _serve(ticket, conversation, agent, from_agent)


@database_work
def reply(ticket: Ticket, agent: Agent, text: str, *, draft_key: str | None = None) -> list[Reply]:
    """Write to the customer. The first reply takes the ticket, if nobody did.

    A draft that was written already changes nothing, whatever happened to the ticket since.
    """
    with transaction.atomic():
        conversation = _lock(ticket.conversation)
        if not written_under(draft_key):
            _serve(ticket, conversation, agent, None)
            Ticket.objects.filter(pk=ticket.pk).update(waiting_since=None)
        replies = write_to_customer(
            conversation,
            text,
            author=Author.AGENT,
            agent_name=agent.display_name,
            draft_key=draft_key,
        )
        _check_is_same(replies, conversation, text)
    return replies


def _check_is_same(written: list[Reply], conversation: Conversation, text: str) -> None:
    is_here = written[0].conversation_id == conversation.pk
    if not is_here or [part.text for part in written] != cut(text):
        raise SentInOtherWords(conversation.pk)


@database_work
def resolve(ticket: Ticket, agent: Agent) -> None:
    """The wish is served: the customer is the bot's again, and hears it."""
    with transaction.atomic():
        conversation = _lock(ticket.conversation)
        _close(ticket, EventKind.RESOLVED, agent)
        change_owner(conversation, Owner.BOT)
        write_to_customer(conversation, Saying("back_to_bot"), author=Author.SYSTEM)


@database_work
def assign(ticket: Ticket, agent: Agent) -> None:
    """Give an open ticket to a colleague, who takes it or answers when ready."""
    with transaction.atomic():
        _lock(ticket.conversation)
        rows = Ticket.objects.open().filter(pk=ticket.pk)
        if not rows.update(assignee=agent, status=Status.ASSIGNED):
            raise TicketClosed(ticket.number)
        _note(ticket, EventKind.ASSIGNED, agent)
        ticket.refresh_from_db(fields=["assignee", "status"])


@database_work
def give_back(ticket: Ticket) -> None:
    """Its agent leaves for good: the customer waits for the next one."""
    with transaction.atomic():
        conversation = _lock(ticket.conversation)
        rows = Ticket.objects.open().filter(pk=ticket.pk)
        if rows.update(assignee=None, status=Status.OPEN) and conversation.owner == Owner.AGENT:
            ticket.messages.add(*change_owner(conversation, Owner.QUEUE))


@database_work
def set_priority(ticket: Ticket, priority: Priority) -> None:
    if not Ticket.objects.open().filter(pk=ticket.pk).update(priority=priority):
        raise TicketClosed(ticket.number)


def _lock(conversation: Conversation) -> Conversation:
    """SQLite knows no row locks, but its transactions here are IMMEDIATE: only one writes."""
    conversation.refresh_from_db(
        fields=["owner", "owner_version", "receipt_at"],
        from_queryset=Conversation.objects.select_for_update(),
    )
    return conversation


def _open_ticket(conversation: Conversation) -> Ticket | None:
    return (
        Ticket.objects.filter(open_for=conversation)
        .select_related("assignee", "conversation")
        .first()
    )


def _new_ticket(turn: Turn, reason: Reason, there: Collection[int]) -> Ticket:
    now = clock.now()
    agent = next_agent(there)
    ticket = Ticket.objects.create(
        number=secrets.token_hex(10),
        reason=reason,
        customer=turn.customer,
        conversation=turn.conversation,
        open_for=turn.conversation,
        assignee=agent,
        status=Status.ASSIGNED if agent else Status.OPEN,
        priority=Priority.HIGH if reason == Reason.BROKEN else Priority.NORMAL,
        created_at=now,
    )
    # The day and our own key: short, sayable on the phone, and no two transactions can pick the
    # same.
    ticket.number = f"{timezone.localtime(now):%Y%m%d}-{ticket.pk:04d}"
    ticket.save(update_fields=["number"])
    _note(ticket, EventKind.OPENED, None)
    if agent is not None:
        _note(ticket, EventKind.ASSIGNED, agent)
    return ticket


def _put_on(ticket: Ticket, message: Message) -> None:
    ticket.messages.add(message)
    if ticket.waiting_since is None:
        ticket.waiting_since = message.received_at
        ticket.save(update_fields=["waiting_since"])


def _say_receipt(turn: Turn, ticket: Ticket, there: Collection[int]) -> None:
    now = clock.now()
    said = words.receipt(turn, ticket, now, there)
    say(turn, said, author=Author.SYSTEM, state=MessageState.HANDED_OVER)
    if said:
        Conversation.objects.filter(pk=turn.conversation.pk).update(receipt_at=now)


def _serve(
    ticket: Ticket, conversation: Conversation, agent: Agent, from_agent: Agent | None
) -> None:
    """The ticket is the agent's own: a conditional UPDATE decides among colleagues. The bot's
    unsent words go.
    """
    ticket.refresh_from_db(fields=["assignee", "status", "open_for"])
    already = (
        ticket.is_open and ticket.assignee_id == agent.pk and ticket.status == Status.ANSWERING
    )
    if not already:
        free = ~Q(status=Status.ANSWERING) | Q(assignee=agent) | Q(assignee__isnull=True)
        if from_agent is not None:
            free |= Q(assignee=from_agent)
        if (
            not Ticket.objects.open()
            .filter(free, pk=ticket.pk)
            .update(assignee=agent, status=Status.ANSWERING)
        ):
            raise TakenByAnother(ticket.assignee) if ticket.is_open else TicketClosed(ticket.number)
        ticket.refresh_from_db(fields=["assignee", "status"])
        _note(ticket, EventKind.TAKEN, agent)
    if conversation.owner != Owner.AGENT:
        ticket.messages.add(*change_owner(conversation, Owner.AGENT))


def _close(ticket: Ticket, kind: EventKind, agent: Agent | None) -> None:
    values = {
        "open_for": None,
        "status": Status.RESOLVED,
        "resolved_at": clock.now(),
        "waiting_since": None,
    }
    if not Ticket.objects.open().filter(pk=ticket.pk).update(**values):
        raise TicketClosed(ticket.number)
    ticket.refresh_from_db()
    _note(ticket, kind, agent)


def _note(ticket: Ticket, kind: EventKind, agent: Agent | None) -> None:
    now = clock.now()
    TicketEvent.objects.create(ticket=ticket, kind=kind, agent=agent, created_at=now)
    if agent is not None:
        Agent.objects.filter(pk=agent.pk).update(last_work_at=now)
