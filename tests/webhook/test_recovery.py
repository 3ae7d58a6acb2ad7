"""What a dying process, a lost publish or a lost wake left behind: found by the sweep, each by its
own rule.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from common.redis import redis
from conversations.models import (
    Author,
    Channel,
    Conversation,
    Ending,
    Hold,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from tests.factories import (
    AccountFactory,
    ConversationFactory,
    MessageFactory,
    ReplyFactory,
    held_turn,
)
from webhook import recovery, tasks
from webhook.recovery import pick_up_forgotten
from wechat.models import ReplyMode

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def sweep() -> list[int]:
    """The conversations that were queued for an answer."""
    queued: list[int] = []

    def queue(conversation_ids: list[int]) -> bool:
        queued.extend(conversation_ids)
        return True

    pick_up_forgotten(queue)
    return queued


def deliveries() -> int:
    return int(redis().llen("deliver"))


def received(**values: object) -> Message:
    return MessageFactory(**{"received_at": ago(6), **values})


def passive_conversation() -> Conversation:
    return ConversationFactory(customer__account=AccountFactory(reply_mode=ReplyMode.PASSIVE))


def ready(**values: object) -> Reply:
    """An answer that was written six seconds ago and has not gone out."""
    conversation = values.pop("conversation", None) or ConversationFactory()
    message = values.pop("message", None) or MessageFactory(
        conversation=conversation,
        state=MessageState.ANSWERED,
        received_at=ago(7),
        hold=Hold.RELEASED,
    )
    return ReplyFactory(conversation=conversation, message=message, **{"due_at": ago(6), **values})


class TestAMessageThatNobodyTook:
    def test_it_is_queued(self) -> None:
        message = received()
        assert sweep() == [message.conversation_id]

    def test_it_is_left_alone_for_five_seconds(self) -> None:
        received(received_at=ago(4))
        assert sweep() == []

    def test_it_is_not_queued_again_within_half_a_minute(self) -> None:
        message = received()
        sweep()
        assert sweep() == []
        Message.objects.update(queued_at=ago(31))
        assert sweep() == [message.conversation_id]

    def test_it_gets_its_conversation_if_it_has_none_yet(self) -> None:
        received(conversation=None, account=AccountFactory(), openid="oForgotten")
        assert sweep() == [Conversation.objects.get(customer__openid="oForgotten").pk]

    def test_two_of_one_customer_are_one_task(self) -> None:
        first = received()
        received(conversation=first.conversation)
        assert sweep() == [first.conversation_id]

    @pytest.mark.parametrize(
        "state", [MessageState.ANSWERED, MessageState.HANDED_OVER, MessageState.IGNORED]
    )
    def test_it_is_left_alone_when_it_was_ended(self, state: MessageState) -> None:
        received(state=state)
        assert sweep() == []

    def test_a_backlog_is_shared_by_all_workers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recovery, "CONVERSATIONS_A_TASK", 2)
        messages = [received() for _ in range(5)]
        batches: list[list[int]] = []

        def queue(conversation_ids: list[int]) -> bool:
            batches.append(conversation_ids)
            return True

        pick_up_forgotten(queue)
        assert [len(batch) for batch in batches] == [2, 2, 1]
        assert {pk for batch in batches for pk in batch} == {
            message.conversation_id for message in messages
        }

    def test_it_is_published(self) -> None:
        received()
        pick_up_forgotten(tasks.queue_replies)
        assert redis().llen("reply") == 1

    def test_one_that_the_broker_did_not_take_is_queued_by_the_next_sweep(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*arguments: object, **values: object) -> None:
            raise tasks.BrokerAway("no connection")

        monkeypatch.setattr(recovery, "CONVERSATIONS_A_TASK", 2)
        messages = [received() for _ in range(3)]
        with monkeypatch.context() as patch:
            patch.setattr(tasks.reply_to_customers, "apply_async", away)
            pick_up_forgotten(tasks.queue_replies)
        assert set(sweep()) == {message.conversation_id for message in messages}

    def test_the_one_that_waits_longest_comes_first(self) -> None:
        new, oldest, old = [
            received(received_at=ago(seconds), sent_at=ago(seconds)) for seconds in (6, 60, 30)
        ]
        assert sweep() == [row.conversation_id for row in (oldest, old, new)]


class TestAMessageWhoseWorkerDied:
    def test_it_is_queued_when_the_lease_has_run_out(self) -> None:
        turn = held_turn()
        Conversation.objects.update(lease_until=ago(1))
        assert sweep() == [turn.conversation.pk]

    def test_it_is_left_alone_while_the_lease_stands(self) -> None:
        held_turn(received_at=ago(60))
        assert sweep() == []

    def test_it_is_not_queued_again_within_half_a_minute(self) -> None:
        held_turn()
        Conversation.objects.update(lease_until=ago(1))
        sweep()
        assert sweep() == []

    def test_that_it_was_queued_before_its_worker_died_does_not_hold_it_up(self) -> None:
        turn = held_turn(queued_at=ago(20))
        Conversation.objects.update(lease_until=ago(1))
        assert sweep() == [turn.conversation.pk]


class TestAnAnswerThatLies:
    def test_the_api_carries_it(self) -> None:
        ready()
        sweep()
        assert deliveries() == 1

    def test_it_is_left_alone_for_five_seconds(self) -> None:
        ready(due_at=ago(4))
        sweep()
        assert deliveries() == 0

    def test_it_is_left_to_a_request_that_still_waits(self) -> None:
        conversation = ConversationFactory()
        waits = MessageFactory(
            conversation=conversation,
            state=MessageState.ANSWERED,
            hold=Hold.WAITING,
            hold_until=timezone.now() + timedelta(seconds=2),
        )
        ready(conversation=conversation, message=waits)
        sweep()
        assert deliveries() == 0

    @pytest.mark.parametrize(
        "values",
        [
            {"hold_until": "past"},
            {"hold_until": "future", "ended_with": Ending.SUCCESS},
            {"hold_until": "future", "hold": Hold.RELEASED},
        ],
    )
    def test_it_is_carried_where_nobody_waits_any_more(self, values: dict[str, object]) -> None:
        until = (
            ago(1) if values.pop("hold_until") == "past" else timezone.now() + timedelta(seconds=2)
        )
        conversation = ConversationFactory()
        message = MessageFactory(
            conversation=conversation,
            state=MessageState.ANSWERED,
            **{"hold": Hold.WAITING, "hold_until": until, **values},
        )
        ready(conversation=conversation, message=message)
        sweep()
        assert deliveries() == 1

    def test_an_agents_words_are_carried(self) -> None:
        ReplyFactory(author=Author.AGENT, message=None, due_at=ago(6))
        sweep()
        assert deliveries() == 1

    def test_a_text_in_its_pause_between_two_tries_is_not_due(self) -> None:
        ready(due_at=timezone.now() + timedelta(seconds=30), tries=3)
        sweep()
        assert deliveries() == 0

    def test_several_texts_of_one_customer_are_one_task(self) -> None:
        row = ready()
        ready(conversation=row.conversation)
        sweep()
        assert deliveries() == 1

    def test_it_is_not_handed_on_again_within_half_a_minute(self) -> None:
        """Whoever has it may just be slow: WeChat's API takes seconds when it is ill."""
        ready()
        sweep()
        sweep()
        assert deliveries() == 1
        Reply.objects.update(queued_at=ago(31))
        sweep()
        assert deliveries() == 2

    def test_that_it_was_handed_on_before_its_pause_does_not_hold_it_up(self) -> None:
        ready(due_at=ago(6), queued_at=ago(8))
        sweep()
        assert deliveries() == 1

    def test_the_one_that_is_due_longest_comes_first(self) -> None:
        lying = [ready(due_at=ago(seconds)) for seconds in (6, 60, 30)]
        handed_on: list[int] = []
        pick_up_forgotten(lambda _: True, handed_on.append, most_deliveries=2)
        assert handed_on == [lying[1].conversation_id, lying[2].conversation_id]
        pick_up_forgotten(lambda _: True, handed_on.append, most_deliveries=2)
        assert handed_on[2:] == [lying[0].conversation_id]


class TestAStepThatFails:
    """Each step has its own error; the others are done all the same."""

    def break_step(self, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
        def step(now: datetime) -> None:
            raise error

        monkeypatch.setattr(recovery, name, step)

    @pytest.mark.parametrize(
        "step", ["give_up_waiting_for_delivery", "mark_unknown", "drop_expired"]
    )
    @pytest.mark.parametrize("error", [OperationalError(2013, "lost"), RuntimeError("a defect")])
    def test_the_others_go_on(
        self, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
    ) -> None:
        monkeypatch.setattr(recovery.connection, "close", lambda: None)
        self.break_step(monkeypatch, step, error)
        message, _lying = received(), ready()

        assert sweep() == [message.conversation_id]
        assert deliveries() == 1

    def test_deliveries_go_on_where_messages_cannot_be_queued(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(conversation_ids: list[int]) -> bool:
            raise RuntimeError("a defect")

        received()
        ready()
        pick_up_forgotten(broken)
        assert deliveries() == 1


class TestAnAnswerThatLiesOnAnUnverifiedAccount:
    def lying(self, *, seconds: float, **values: object) -> Reply:
        conversation = passive_conversation()
        message = MessageFactory(
            conversation=conversation,
            state=MessageState.ANSWERED,
            received_at=ago(seconds),
            **values,
        )
        return ready(conversation=conversation, message=message)

    def test_it_waits_for_the_customer_when_no_delivery_is_left(self) -> None:
        row = self.lying(seconds=17)
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.WAITING_FOR_CUSTOMER
        assert deliveries() == 0

    def test_it_stays_ready_while_a_delivery_may_still_come(self) -> None:
        row = self.lying(seconds=12)
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.READY
        assert deliveries() == 0

    def test_it_waits_for_the_customer_when_the_push_was_ended(self) -> None:
        row = self.lying(seconds=7, ended_with=Ending.TEXT)
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.WAITING_FOR_CUSTOMER

    def test_a_persons_words_wait_as_well(self) -> None:
        row = ReplyFactory(
            conversation=passive_conversation(), author=Author.AGENT, message=None, due_at=ago(6)
        )
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.WAITING_FOR_CUSTOMER

    def test_a_verified_accounts_texts_are_not_touched(self) -> None:
        row = ready()
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.READY


class TestATextThatWasBeingSent:
    def test_its_outcome_is_unknown_when_the_sender_died(self) -> None:
        row = ready(state=ReplyState.SENDING, lease_until=ago(1))
        sweep()
        row.refresh_from_db()
        assert (row.state, row.channel) == (ReplyState.UNKNOWN, Channel.API)
        assert row.reason
        assert deliveries() == 0

    def test_it_is_left_alone_while_the_sender_has_time(self) -> None:
        row = ready(state=ReplyState.SENDING, lease_until=timezone.now() + timedelta(seconds=9))
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.SENDING


class TestATextThatNobodyCameFor:
    def test_it_is_dropped_after_two_days_with_a_note_on_the_message(self) -> None:
        row = ready(state=ReplyState.WAITING_FOR_CUSTOMER, part=2, created_at=ago(48 * 3600 + 60))
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.FAILED
        assert "48 hours" in row.reason
        assert row.message is not None
        assert row.message.note == "第 2 段超过 48 小时未送达，已放弃。"

    def test_it_waits_until_then(self) -> None:
        row = ready(state=ReplyState.WAITING_FOR_CUSTOMER, created_at=ago(47 * 3600))
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.WAITING_FOR_CUSTOMER

    def test_an_agents_words_are_dropped_too(self) -> None:
        row = ReplyFactory(
            author=Author.AGENT,
            message=None,
            state=ReplyState.WAITING_FOR_CUSTOMER,
            created_at=ago(49 * 3600),
        )
        sweep()
        row.refresh_from_db()
        assert row.state == ReplyState.FAILED
