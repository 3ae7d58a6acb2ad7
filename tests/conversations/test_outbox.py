"""The text that a worker sends in the task that wrote it: claimed with the answer, sent once, in
order.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.models import Author, Channel, Customer, Reply, ReplyState
from conversations.replies import by_api
from conversations.replies.say import say
from conversations.turns.leases import Turn
from tests.factories import ReplyFactory, held_turn
from tests.worlds.api_stub import ApiStub
from webhook.answering import send_first_part

pytestmark = pytest.mark.django_db(transaction=True)


def turn_with_window(sends: int = 5) -> Turn:
    """As a worker holds it: the task that answers may send the text itself."""
    turn = held_turn()
    turn.line = by_api.line_at_hand(turn.account)
    Customer.objects.filter(pk=turn.customer.pk).update(
        message_sends_left=sends, message_window_until=timezone.now() + timedelta(hours=1)
    )
    return turn


def answer(turn: Turn, *texts: str, author: Author = Author.BOT) -> None:
    say(turn, list(texts), author=author)
    send_first_part(turn)


def sends_left(turn: Turn) -> int:
    return Customer.objects.get(pk=turn.customer.pk).message_sends_left


def test_it_is_claimed_with_the_answer_and_sent_at_once(wechat: ApiStub) -> None:
    turn = turn_with_window()
    say(turn, ["七天内可以退货。"], author=Author.BOT)
    assert Reply.objects.get().state == ReplyState.SENDING
    assert sends_left(turn) == 4
    send_first_part(turn)
    reply = Reply.objects.get()
    assert (reply.state, reply.channel, reply.tries) == (ReplyState.SENT, Channel.API, 1)
    assert [text for _openid, text in wechat.sent] == ["七天内可以退货。"]


def test_a_second_task_for_the_same_answer_sends_nothing(wechat: ApiStub) -> None:
    turn = turn_with_window()
    answer(turn, "七天内可以退货。")
    send_first_part(turn)
    assert len(wechat.sent) == 1


def test_what_was_written_before_goes_first(wechat: ApiStub) -> None:
    turn = turn_with_window()
    ReplyFactory(
        conversation=turn.conversation, author=Author.AGENT, text="先说的", state=ReplyState.READY
    )
    answer(turn, "后说的")
    assert [text for _openid, text in wechat.sent][:1] == ["先说的"]


def test_the_last_send_of_a_window_is_kept_for_a_person(wechat: ApiStub) -> None:
    turn = turn_with_window(sends=1)
    answer(turn, "七天内可以退货。")
    assert wechat.sent == []
    assert Reply.objects.get().state == ReplyState.WAITING_FOR_CUSTOMER
    assert sends_left(turn) == 1


def test_a_word_of_the_system_may_take_the_last_send(wechat: ApiStub) -> None:
    turn = turn_with_window(sends=1)
    answer(turn, "已为您转接人工客服。", author=Author.SYSTEM)
    assert len(wechat.sent) == 1
    assert sends_left(turn) == 0


def test_a_request_that_waits_is_woken_instead(wechat: ApiStub) -> None:
    turn = held_turn(until=timezone.now() + timedelta(seconds=30))
    turn.line = by_api.line_at_hand(turn.account)
    answer(turn, "七天内可以退货。")
    assert wechat.sent == []
    assert Reply.objects.get().state == ReplyState.READY
