"""An agent and the bot act at the same moment: real threads, real transactions, no one may fail for
the other.
"""

from __future__ import annotations

import pytest

from conversations.models import (
    Author,
    Conversation,
    Hold,
    Message,
    MessageState,
    Owner,
    Reply,
    ReplyState,
)
from conversations.replies import by_api
from conversations.replies.passive import Fetch, fetch_replies
from conversations.replies.say import say
from conversations.window import ledger
from tests.at_once import at_once
from tests.factories import ReplyFactory, held_turn, next_turn
from tests.worlds.api_stub import ApiStub
from tickets import services as tickets
from tickets.models import Agent, Reason, Ticket
from webhook import flow

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8


def waiting_ticket(*, passive: bool = False) -> Ticket:
    return tickets.hand_over(
        held_turn(passive=passive, text="转人工"), reason=Reason.CUSTOMER_ASKED
    )


def bot_answer(ticket: Ticket, *, passive: bool = False) -> Message:
    """A FAQ hit in the queue that has not gone out yet."""
    turn = next_turn(ticket.conversation, "几点上班", hold=Hold.RELEASED)
    say(turn, ["每天 9:00 到 21:00。"], author=Author.BOT)
    Reply.objects.filter(author=Author.SYSTEM).update(state=ReplyState.SENT)
    ledger.open_message_window(ticket.customer_id, turn.message.sent_at)
    return turn.message


def test_the_bots_text_is_sent_or_withdrawn_when_an_agent_takes_over(
    agent: Agent, wechat: ApiStub
) -> None:
    for _ in range(ROUNDS):
        ticket = waiting_ticket()
        message = bot_answer(ticket)
        sent, _ = at_once(
            lambda pk=ticket.conversation_id: by_api.deliver(pk),
            lambda ticket=ticket: tickets.take(ticket, agent),
        )
        row = message.replies.get()
        assert row.state == (ReplyState.SENT if sent else ReplyState.WITHDRAWN)
        message.refresh_from_db()
        assert message.state == (MessageState.ANSWERED if sent else MessageState.HANDED_OVER)
        assert (message in ticket.messages.all()) == (not sent)
        assert len(wechat.texts) == sent
        wechat.sent.clear()


def test_the_passive_reply_carries_it_or_it_is_withdrawn(agent: Agent) -> None:
    for _ in range(ROUNDS):
        ticket = waiting_ticket(passive=True)
        message = bot_answer(ticket)
        [[reply], _] = at_once(
            lambda pk=message.pk: fetch_replies([Fetch(pk, "look")]),
            lambda ticket=ticket: tickets.take(ticket, agent),
        )
        row = message.replies.get()
        assert row.state == (ReplyState.SENT if reply.text else ReplyState.WITHDRAWN)
        message.refresh_from_db()
        assert message.state == (MessageState.ANSWERED if reply.text else MessageState.HANDED_OVER)


@pytest.mark.parametrize("passive", [False, True])
def test_a_message_that_comes_while_an_agent_replies_is_on_the_ticket(
    agent: Agent, passive: bool
) -> None:
    for _ in range(ROUNDS):
        ticket = waiting_ticket(passive=passive)
        turn = next_turn(ticket.conversation, "还在吗？")
        at_once(
            lambda turn=turn: flow.reply(turn, model=None),
            lambda ticket=ticket: tickets.reply(ticket, agent, "您好，我是李明。"),
        )
        assert ticket.messages.filter(pk=turn.message.pk).exists()
        assert Conversation.objects.get(pk=ticket.conversation_id).owner == Owner.AGENT


def test_a_message_that_comes_while_the_service_ends_is_answered_or_handed_over(
    agent: Agent,
) -> None:
    for _ in range(ROUNDS):
        ticket = waiting_ticket()
        tickets.take(ticket, agent)
        turn = next_turn(ticket.conversation, "还有一件事")
        at_once(
            lambda turn=turn: flow.reply(turn, model=None),
            lambda ticket=ticket: tickets.resolve(ticket, agent),
        )
        turn.message.refresh_from_db()
        assert turn.message.state in (MessageState.ANSWERED, MessageState.HANDED_OVER)
        assert turn.message.tickets.exists() or turn.message.replies.exists()


def test_an_agents_words_and_the_bots_go_out_once_each(agent: Agent) -> None:
    for _ in range(ROUNDS):
        ticket = waiting_ticket()
        ReplyFactory(conversation=ticket.conversation, author=Author.SYSTEM, text="系统的话")
        ledger.open_message_window(ticket.customer_id, ticket.created_at)
        outcomes = at_once(
            lambda pk=ticket.conversation_id: by_api.claim_next(pk),
            lambda pk=ticket.conversation_id: by_api.claim_next(pk),
            lambda ticket=ticket: tickets.reply(ticket, agent, "您好。"),
        )
        claimed = [reply for reply in outcomes[:2] if reply is not None]
        assert len(claimed) == 1
