from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from conversations.models import Author, Conversation, MessageState, Owner, Reply, ReplyState
from conversations.turns.leases import LeaseLost
from tests.factories import ReplyFactory, held_turn, next_turn
from tickets.models import Agent, EventKind, Priority, Reason, Status, Ticket
from tickets.services import NoOpenTicket, add_message, cancel, hand_over, reply, resolve, take

pytestmark = pytest.mark.django_db


def said_to_customer() -> str:
    return Reply.objects.latest("pk").text


def time_passes(time: timedelta) -> None:
    """Since the ticket was opened and since the last word to who waits."""
    Ticket.objects.update(created_at=F("created_at") - time)
    Conversation.objects.filter(receipt_at__isnull=False).update(receipt_at=timezone.now() - time)


def test_it_opens_a_ticket_and_tells_the_customer_in_one_go(liming: Agent) -> None:
    turn = held_turn(text="我要投诉")
    ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
    turn.message.refresh_from_db()
    turn.conversation.refresh_from_db()
    assert (ticket.assignee, ticket.status, ticket.is_open) == (liming, Status.ASSIGNED, True)
    assert list(ticket.messages.all()) == [turn.message]
    assert turn.message.state == MessageState.HANDED_OVER
    assert turn.conversation.owner == Owner.QUEUE
    word = Reply.objects.get()
    assert (word.author, word.message, word.text) == (
        Author.SYSTEM,
        turn.message,
        "已为您转接人工客服，请稍候。",
    )
    assert [event.kind for event in ticket.events.all()] == [EventKind.OPENED, EventKind.ASSIGNED]


def test_it_gives_a_number_that_is_short_and_unique(liming: Agent) -> None:
    numbers = {hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED).number for _ in range(3)}
    assert len(numbers) == 3
    assert all(re.fullmatch(r"\d{8}-\d{4,}", number) for number in numbers)


def test_it_says_how_many_wait_for_the_same_agent(liming: Agent) -> None:
    hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    assert "前面还有 1 位" in said_to_customer()


def test_it_does_not_count_customers_whom_the_agent_has_answered(liming: Agent) -> None:
    first = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    reply(first, liming, "您好")
    hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    assert said_to_customer() == "已为您转接人工客服，请稍候。"


def test_it_promises_no_place_in_a_queue_that_nobody_serves() -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    assert (ticket.assignee, ticket.status) == (None, Status.OPEN)
    assert ticket.number in said_to_customer()
    assert "上线后第一时间回复您" in said_to_customer()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.NOTHING_MATCHED, "暂时没有准确答案"),
        (Reason.MODEL_UNSURE, "暂时没有准确答案"),
        (Reason.MODEL_DOWN, "现在咨询的人较多"),
        (Reason.MODEL_BUSY, "现在咨询的人较多"),
        (Reason.BROKEN, "现在咨询的人较多"),
    ],
)
def test_it_says_truly_why_a_person_will_answer(liming: Agent, reason: Reason, words: str) -> None:
    ticket = hand_over(held_turn(), reason=reason)
    assert words in said_to_customer()
    assert ticket.number in said_to_customer()
    assert ticket.reason == reason


def test_it_puts_a_message_that_killed_its_workers_first(liming: Agent) -> None:
    assert hand_over(held_turn(), reason=Reason.BROKEN).priority == Priority.HIGH


def test_it_ends_the_word_with_a_tap_link_on_a_passive_account(liming: Agent) -> None:
    hand_over(held_turn(passive=True), reason=Reason.CUSTOMER_ASKED)
    assert said_to_customer().startswith("已为您转接人工客服，请稍候。\n")
    assert said_to_customer().count("weixin://bizmsgmenu") == 1
    assert "?msgmenucontent=查看回复&msgmenuid=wechatbot-look" in said_to_customer()


def test_it_adds_no_link_on_a_verified_account(liming: Agent) -> None:
    hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    assert "weixin://" not in said_to_customer()


def test_it_joins_a_second_unanswered_question_to_the_open_ticket(liming: Agent) -> None:
    turn = held_turn()
    first = hand_over(turn, reason=Reason.NOTHING_MATCHED)
    second_turn = next_turn(turn.conversation, "还有一个问题")
    second = hand_over(second_turn, reason=Reason.MODEL_UNSURE)
    assert first == second
    assert second.messages.count() == 2
    assert Ticket.objects.count() == 1
    assert second.events.filter(kind=EventKind.OPENED).count() == 1


def test_it_says_nothing_for_the_bot_when_an_agent_serves_by_now(liming: Agent) -> None:
    turn = held_turn()
    ticket = hand_over(turn, reason=Reason.NOTHING_MATCHED)
    late = next_turn(turn.conversation, "在吗")
    take(ticket, liming)
    before = Reply.objects.count()
    hand_over(late, reason=Reason.MODEL_DOWN)
    late.message.refresh_from_db()
    assert Reply.objects.count() == before
    assert late.message.state == MessageState.HANDED_OVER
    assert late.message in ticket.messages.all()


def test_it_leaves_nothing_behind_when_the_message_is_no_longer_ours(liming: Agent) -> None:
    turn = held_turn()
    turn.message.attempt += 1
    with pytest.raises(LeaseLost):
        hand_over(turn, reason=Reason.CUSTOMER_ASKED)
    turn.conversation.refresh_from_db()
    assert not Ticket.objects.exists()
    assert turn.conversation.owner == Owner.BOT


def test_it_withdraws_what_the_bot_has_not_sent_and_takes_its_question_onto_the_ticket(
    liming: Agent,
) -> None:
    turn = held_turn(text="先问一个问题")
    unsent = ReplyFactory(conversation=turn.conversation, message=turn.message)
    wish = next_turn(turn.conversation, "转人工", wants_human=True)
    ticket = hand_over(wish, reason=Reason.CUSTOMER_ASKED)
    unsent.refresh_from_db()
    assert unsent.state == ReplyState.WITHDRAWN
    assert set(ticket.messages.all()) == {turn.message, wish.message}


class TestWhileThereIsATicket:
    def test_it_tells_the_waiting_customer_once_how_to_end_the_wait(self, liming: Agent) -> None:
        turn = held_turn()
        ticket = hand_over(turn, reason=Reason.NOTHING_MATCHED)
        add_message(next_turn(turn.conversation, "有人吗"))
        assert "取消人工" in said_to_customer()
        before = Reply.objects.count()
        add_message(next_turn(turn.conversation, "喂"))
        assert Reply.objects.count() == before
        assert ticket.messages.count() == 3

    def test_it_says_now_and_then_that_the_wait_goes_on(self, liming: Agent) -> None:
        turn = held_turn()
        hand_over(turn, reason=Reason.NOTHING_MATCHED)
        add_message(next_turn(turn.conversation, "谢谢"))
        for _ in range(2):
            time_passes(timedelta(minutes=5))
            before = Reply.objects.count()
            add_message(next_turn(turn.conversation, "在吗"))
            assert said_to_customer() == "您的消息已收到，还在为您排队，客服会按顺序在这里回复您。"
            add_message(next_turn(turn.conversation, "人呢"))
            assert Reply.objects.count() == before + 1

    def test_it_answers_who_asks_for_a_person_again_after_a_while(self, liming: Agent) -> None:
        turn = held_turn()
        hand_over(turn, reason=Reason.CUSTOMER_ASKED)
        time_passes(timedelta(minutes=5))
        add_message(next_turn(turn.conversation, "转人工", wants_human=True))
        assert "取消人工" in said_to_customer()
        before = Reply.objects.count()
        add_message(next_turn(turn.conversation, "转人工", wants_human=True))
        assert Reply.objects.count() == before

    def test_it_is_silent_at_once_when_the_waiting_customer_asks_for_a_person_again(
        self, liming: Agent
    ) -> None:
        turn = held_turn()
        hand_over(turn, reason=Reason.NOTHING_MATCHED)
        before = Reply.objects.count()
        again = next_turn(turn.conversation, "转人工", wants_human=True)
        add_message(again)
        again.message.refresh_from_db()
        assert Reply.objects.count() == before
        assert again.message.state == MessageState.HANDED_OVER

    def test_it_is_silent_while_an_agent_serves_on_an_api_account(self, liming: Agent) -> None:
        turn = held_turn()
        take(hand_over(turn, reason=Reason.CUSTOMER_ASKED), liming)
        before = Reply.objects.count()
        add_message(next_turn(turn.conversation, "鞋子小了"))
        assert Reply.objects.count() == before

    def test_it_gives_one_receipt_in_ten_minutes_on_a_passive_account(self, liming: Agent) -> None:
        turn = held_turn(passive=True)
        take(hand_over(turn, reason=Reason.CUSTOMER_ASKED), liming)
        first = next_turn(turn.conversation, "鞋子小了")
        add_message(first)
        first.message.refresh_from_db()
        receipt = Reply.objects.latest("pk")
        assert receipt.message == first.message
        assert receipt.text.startswith("已转人工")
        assert receipt.text.count("weixin://bizmsgmenu") == 1
        assert first.message.state == MessageState.HANDED_OVER
        add_message(next_turn(turn.conversation, "能换吗"))
        assert Reply.objects.latest("pk") == receipt

    def test_it_gives_no_receipt_when_the_agents_words_wait_for_this_push(
        self, liming: Agent
    ) -> None:
        turn = held_turn(passive=True)
        ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
        (agents,) = reply(ticket, liming, "可以换。")
        assert agents.state == ReplyState.WAITING_FOR_CUSTOMER
        add_message(next_turn(turn.conversation, "鞋子小了"))
        assert Reply.objects.latest("pk") == agents

    def test_it_gives_a_message_back_when_the_ticket_was_closed_at_this_moment(
        self, liming: Agent
    ) -> None:
        turn = held_turn()
        ticket = hand_over(turn, reason=Reason.CUSTOMER_ASKED)
        late = next_turn(turn.conversation, "还有一个问题")
        resolve(ticket, liming)
        with pytest.raises(NoOpenTicket):
            add_message(late)
        late.message.refresh_from_db()
        assert late.message.state == MessageState.ANSWERING

    def test_it_returns_to_the_bot_when_the_customer_gives_up_the_wait(self, liming: Agent) -> None:
        turn = held_turn()
        hand_over(turn, reason=Reason.NOTHING_MATCHED)
        ticket = cancel(next_turn(turn.conversation, "取消人工"))
        turn.conversation.refresh_from_db()
        assert ticket is not None
        assert (ticket.status, ticket.is_open) == (Status.RESOLVED, False)
        assert turn.conversation.owner == Owner.BOT
        assert "已取消人工" in said_to_customer()


class TestATicketThatSomebodyDeletedByHand:
    @pytest.mark.parametrize("owner", [Owner.QUEUE, Owner.AGENT])
    def test_it_is_opened_anew_by_the_next_message(self, liming: Agent, owner: Owner) -> None:
        turn = held_turn()
        ticket = hand_over(turn, reason=Reason.NOTHING_MATCHED)
        if owner == Owner.AGENT:
            take(ticket, liming)
        ticket.delete()
        late = next_turn(turn.conversation, "还有人吗")
        again = add_message(late)
        late.message.refresh_from_db()
        late.conversation.refresh_from_db()
        assert (again.is_open, again.assignee, list(again.messages.all())) == (
            True,
            liming,
            [late.message],
        )
        assert late.message.state == MessageState.HANDED_OVER
        assert late.conversation.owner == Owner.QUEUE
        assert said_to_customer() == "已为您转接人工客服，请稍候。"

    def test_its_wait_can_be_given_up(self, liming: Agent) -> None:
        turn = held_turn()
        hand_over(turn, reason=Reason.NOTHING_MATCHED).delete()
        assert cancel(next_turn(turn.conversation, "取消人工")) is None
        turn.conversation.refresh_from_db()
        assert turn.conversation.owner == Owner.BOT
        assert "已取消人工" in said_to_customer()
