"""Several processes at the same moment: real threads, real transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import pytest
from django.db import connection

from conversations.models import Author, Message, MessageState, Owner, Reply
from conversations.turns.leases import LeaseLost, Turn
from tests.factories import MessageFactory, held_turn, make_agent
from tickets.models import Reason, Status, Ticket
from tickets.services import NoOpenTicket, TakenByAnother, add_message, hand_over, resolve, take

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


def at_once(*stories: Callable[[], T]) -> list[T | Exception]:
    """Run the stories together and return what each returned or raised."""
    start = threading.Barrier(len(stories))

    def run(story: Callable[[], T]) -> T | Exception:
        start.wait()
        try:
            return story()
        except (LeaseLost, TakenByAnother, NoOpenTicket) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(stories)) as pool:
        return list(pool.map(run, stories))


def second_turn(turn: Turn) -> Turn:
    """Another message of the same conversation, in the hands of another process."""
    message = MessageFactory(
        conversation=turn.conversation, state=MessageState.ANSWERING, attempt=1
    )
    return copied(turn, message.pk)


def copied(turn: Turn, message_id: int) -> Turn:
    """As another process has it: rows of its own."""
    message = Message.objects.select_related("conversation__customer").get(pk=message_id)
    assert message.conversation is not None
    return replace(
        turn,
        message=message,
        conversation=message.conversation,
        customer=message.conversation.customer,
    )


def test_it_opens_one_ticket_for_two_handovers_at_once() -> None:
    make_agent("李明")
    for _ in range(5):
        # Without its lease: with it, the first to be answered takes the next message in hand.
        turn = replace(held_turn(), lease="")
        turns = [turn, second_turn(turn), second_turn(turn)]
        outcomes = at_once(
            *(lambda turn=turn: hand_over(turn, reason=Reason.NOTHING_MATCHED) for turn in turns)
        )
        ticket = Ticket.objects.get(open_for=turn.conversation)
        assert outcomes == [ticket] * 3
        assert ticket.messages.count() == 3
        assert ticket.events.filter(kind="opened").count() == 1


def test_it_hands_one_message_over_once_however_many_workers_think_they_hold_it() -> None:
    make_agent("李明")
    turn = held_turn()
    copy = copied(turn, turn.message.pk)
    outcomes = at_once(
        *(lambda turn=one: hand_over(turn, reason=Reason.MODEL_DOWN) for one in (turn, copy))
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LeaseLost", "Ticket"]
    assert Reply.objects.filter(author=Author.SYSTEM).count() == 1


def test_it_gives_a_ticket_to_one_of_two_agents_who_take_it_at_once() -> None:
    agents = [make_agent("李明"), make_agent("王芳")]
    ticket_id = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED).pk

    def take_it(place: int) -> str:
        take(Ticket.objects.get(pk=ticket_id), agents[place])
        return agents[place].display_name

    outcomes = at_once(lambda: take_it(0), lambda: take_it(1))
    ticket = Ticket.objects.get(pk=ticket_id)
    assert ticket.status == Status.ANSWERING
    assert [name for name in outcomes if isinstance(name, str)] == [str(ticket.assignee)]


def test_it_loses_no_message_that_comes_while_the_ticket_is_resolved() -> None:
    liming = make_agent("李明")
    for _ in range(5):
        turn = held_turn()
        ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
        late = second_turn(turn)
        outcome, _resolved = at_once(
            lambda late=late: add_message(late), lambda ticket=ticket: resolve(ticket, liming)
        )
        late.message.refresh_from_db()
        turn.conversation.refresh_from_db()
        assert turn.conversation.owner == Owner.BOT
        on_ticket = late.message in ticket.messages.all()
        still_ours = late.message.state == MessageState.ANSWERING
        assert on_ticket != still_ours
        assert isinstance(outcome, NoOpenTicket) == still_ours
