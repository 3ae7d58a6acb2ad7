from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import OperationalError
from django.utils import timezone

from common.database_threads import MYSQL_DEADLOCK
from conversations.models import Author, Message, MessageState, Owner, Reply, ReplyState
from conversations.replies.say import OwnerChanged, say
from tests.factories import ReplyFactory, held_turn, next_turn
from tickets.models import Agent, EventKind, Priority, Reason, Status, Ticket, TicketQuerySet
from tickets.services import (
    TakenByAnother,
    TicketClosed,
    add_message,
    assign,
    hand_over,
    reply,
    resolve,
    set_priority,
    take,
)

pytestmark = pytest.mark.django_db


def test_it_silences_the_bot_when_an_agent_takes_the_ticket(liming: Agent) -> None:
    turn = held_turn()
    ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
    take(ticket, liming)
    turn.conversation.refresh_from_db()
    assert turn.conversation.owner == Owner.AGENT
    assert (ticket.status, ticket.assignee) == (Status.ANSWERING, liming)
    assert list(ticket.events.all())[-1].in_words == "李明 接手"


def test_it_drops_the_answer_that_the_bot_was_thinking_of(liming: Agent) -> None:
    turn = held_turn()
    ticket = hand_over(turn, reason=Reason.NOTHING_MATCHED)
    thinking = next_turn(turn.conversation, "运费多少")
    take(ticket, liming)
    with pytest.raises(OwnerChanged):
        say(thinking, ["包邮。"], author=Author.BOT)
    add_message(thinking)
    thinking.message.refresh_from_db()
    assert thinking.message.state == MessageState.HANDED_OVER
    assert thinking.message in ticket.messages.all()
    assert not Reply.objects.filter(author=Author.BOT).exists()


def test_it_withdraws_the_bots_unsent_words_when_an_agent_takes_over(liming: Agent) -> None:
    turn = held_turn()
    ticket = hand_over(turn, reason=Reason.NOTHING_MATCHED)
    asked = next_turn(turn.conversation, "怎么退货")
    say(asked, ["七天内可以退货。"], author=Author.BOT)
    take(ticket, liming)
    asked.message.refresh_from_db()
    assert Reply.objects.get(author=Author.BOT).state == ReplyState.WITHDRAWN
    assert asked.message.state == MessageState.HANDED_OVER
    assert asked.message in ticket.messages.all()


def test_it_takes_the_ticket_by_the_first_reply_and_sends_the_agents_words(liming: Agent) -> None:
    turn = held_turn()
    ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
    (sent,) = reply(ticket, liming, "您好，可以换。")
    turn.conversation.refresh_from_db()
    assert turn.conversation.owner == Owner.AGENT
    assert (sent.author, sent.agent_name, sent.text) == (Author.AGENT, "李明", "您好，可以换。")
    assert sent.state == ReplyState.READY


def test_it_lets_a_second_reply_change_nothing_but_the_chat(liming: Agent) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    reply(ticket, liming, "您好。")
    version = ticket.conversation.owner_version
    reply(ticket, liming, "可以换。")
    assert ticket.conversation.owner_version == version
    assert ticket.events.filter(kind=EventKind.TAKEN).count() == 1


def test_it_counts_the_wait_from_the_first_unanswered_message(liming: Agent) -> None:
    turn = held_turn()
    ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
    assert ticket.waiting_since == turn.message.received_at
    reply(ticket, liming, "您好。")
    ticket.refresh_from_db()
    assert ticket.waiting_since is None
    following = next_turn(turn.conversation, "好的，那怎么换")
    add_message(following)
    add_message(next_turn(turn.conversation, "在吗"))
    ticket.refresh_from_db()
    assert ticket.waiting_since == Message.objects.get(pk=following.message.pk).received_at


def test_it_returns_the_customer_to_the_bot_when_the_ticket_is_resolved(liming: Agent) -> None:
    turn = held_turn()
    ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
    reply(ticket, liming, "可以换。")
    resolve(ticket, liming)
    turn.conversation.refresh_from_db()
    assert turn.conversation.owner == Owner.BOT
    assert (ticket.status, ticket.is_open, ticket.waiting_since) == (Status.RESOLVED, False, None)
    assert ticket.resolved_at is not None
    assert Reply.objects.latest("pk").text == "本次人工服务已结束，您可以继续向我提问。"


def test_it_still_delivers_what_the_agent_wrote_before_resolving(liming: Agent) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    (words,) = reply(ticket, liming, "可以换。")
    resolve(ticket, liming)
    words.refresh_from_db()
    assert words.state == ReplyState.READY


def test_it_opens_a_new_ticket_after_the_last_was_resolved(liming: Agent) -> None:
    turn = held_turn()
    first = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
    resolve(first, liming)
    second = hand_over(next_turn(turn.conversation, "转人工"), reason=Reason.CUSTOMER_ASKED)
    assert second != first


def test_it_does_nothing_to_a_resolved_ticket(liming: Agent) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    resolve(ticket, liming)
    before = Reply.objects.count()
    for act in (
        lambda: take(ticket, liming),
        lambda: reply(ticket, liming, "还在吗"),
        lambda: resolve(ticket, liming),
        lambda: assign(ticket, liming),
        lambda: set_priority(ticket, Priority.HIGH),
    ):
        with pytest.raises(TicketClosed):
            act()
    assert Reply.objects.count() == before
    ticket.conversation.refresh_from_db()
    assert ticket.conversation.owner == Owner.BOT


def test_it_lets_no_two_agents_serve_one_customer(liming: Agent, wangfang: Agent) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    take(ticket, liming)
    with pytest.raises(TakenByAnother, match="李明"):
        take(ticket, wangfang)
    with pytest.raises(TakenByAnother):
        reply(ticket, wangfang, "您好。")
    assert not Reply.objects.filter(author=Author.AGENT).exists()


def test_it_lets_an_agent_take_a_ticket_that_was_only_assigned_to_a_colleague(
    liming: Agent, wangfang: Agent
) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    assert ticket.assignee == liming
    take(ticket, wangfang)
    assert ticket.assignee == wangfang


def test_it_lets_an_agent_knowingly_take_over_from_a_colleague(
    liming: Agent, wangfang: Agent
) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    take(ticket, liming)
    take(ticket, wangfang, from_agent=liming)
    ticket.refresh_from_db()
    assert ticket.assignee == wangfang


def test_it_lets_a_ticket_be_served_whose_agent_was_deleted(liming: Agent, wangfang: Agent) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    take(ticket, liming)
    liming.delete()
    take(ticket, wangfang)
    assert ticket.assignee == wangfang


def test_it_hands_a_ticket_to_a_colleague(liming: Agent, wangfang: Agent) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    take(ticket, liming)
    assign(ticket, wangfang)
    assert (ticket.assignee, ticket.status) == (wangfang, Status.ASSIGNED)
    ticket.conversation.refresh_from_db()
    assert ticket.conversation.owner == Owner.AGENT
    reply(ticket, wangfang, "您好，我是王芳。")
    assert ticket.status == Status.ANSWERING


def test_it_keeps_the_words_of_other_conversations_apart(liming: Agent) -> None:
    other = ReplyFactory(due_at=timezone.now())
    take(hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED), liming)
    other.refresh_from_db()
    assert other.state == ReplyState.READY


STEPS: dict[str, Callable[[Ticket, Agent], object]] = {
    "take": take,
    "reply": lambda ticket, agent: reply(ticket, agent, "可以换。"),
    "assign": assign,
    "resolve": resolve,
    "set_priority": lambda ticket, agent: set_priority(ticket, Priority.HIGH),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_it_goes_through_an_agents_step_again_that_ended_a_deadlock(
    liming: Agent, monkeypatch: pytest.MonkeyPatch, step: Callable[[Ticket, Agent], object]
) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    tries = []

    def open_rows(rows: TicketQuerySet) -> TicketQuerySet:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError(MYSQL_DEADLOCK, "Deadlock found when trying to get lock")
        return rows.filter(open_for__isnull=False)

    with monkeypatch.context() as patch:
        patch.setattr(TicketQuerySet, "open", open_rows)
        step(ticket, liming)
    assert len(tries) == 2
