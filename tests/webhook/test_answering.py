"""Answering a conversation until nothing is left: in the web process without a model, in the worker
with one.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from common.redis import redis
from conversations.models import (
    Channel,
    Conversation,
    Customer,
    Hold,
    Message,
    MessageState,
    Owner,
    Reply,
    ReplyState,
)
from conversations.replies import by_api
from conversations.turns import leases
from conversations.turns.arriving import attach
from tests.factories import AccountFactory, MessageFactory
from tests.faqs import HOURS, RETURNS
from tests.webhook.builders import push
from tests.worlds.api_stub import ApiStub
from tests.worlds.model_stub import ModelStub
from webhook import tasks
from webhook.answering import answer_conversation, answer_here
from webhook.intake import take_in
from wechat.errors import WeChatUnreachable
from wechat.models import OfficialAccount, ReplyMode

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

UNKNOWN = "你们支持用比特币付款买二手火箭吗"


@pytest.fixture(autouse=True)
def _nothing_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_in_hand", {})


@pytest.fixture
def account() -> OfficialAccount:
    return AccountFactory()


def stored(account: OfficialAccount, text: str, **values: object) -> Message:
    """As the callback stores it, no request waiting any more."""
    pushed = push(account, text, **{"hold_until": None, **values})
    take_in([pushed])
    return pushed.stored_message()


def conversation_of(message: Message) -> int:
    [conversation_id] = attach([message.pk])
    return conversation_id


def sent() -> list[str]:
    return [
        reply.text
        for reply in Reply.objects.filter(state=ReplyState.SENT).order_by("sent_at", "pk")
    ]


def states() -> list[str]:
    return [message.state for message in Message.objects.order_by("pk")]


class TestInTheWebProcess:
    def test_it_answers_what_needs_no_model_and_asks_for_the_send(
        self, account: OfficialAccount
    ) -> None:
        tasks = answer_here(stored(account, RETURNS[0]))
        assert tasks == [("deliver", Conversation.objects.get().pk)]
        assert Reply.objects.get().text == RETURNS[1]

    def test_it_asks_for_no_send_while_a_request_waits(self, account: OfficialAccount) -> None:
        waits = timezone.now() + timedelta(seconds=2)
        assert answer_here(stored(account, RETURNS[0], hold_until=waits)) == []

    def test_it_asks_for_no_send_on_an_unverified_account(self) -> None:
        account = AccountFactory(reply_mode=ReplyMode.PASSIVE)
        assert answer_here(stored(account, RETURNS[0])) == []

    def test_it_leaves_a_question_for_the_model_to_the_worker(
        self, account: OfficialAccount, model_is_configured: None
    ) -> None:
        message = stored(account, UNKNOWN)
        assert answer_here(message) == [("reply", Conversation.objects.get().pk)]
        row = Message.objects.get()
        assert (row.state, row.attempt, row.conversation_id) == (
            MessageState.RECEIVED,
            0,
            Conversation.objects.get().pk,
        )
        assert leases.lease_turn(row.conversation_id) is not None

    def test_it_waits_its_turn_behind_a_message_that_is_being_answered(
        self, account: OfficialAccount
    ) -> None:
        first = stored(account, RETURNS[0])
        assert leases.lease_turn(conversation_of(first)) is not None
        assert answer_here(stored(account, HOURS[0])) == []
        assert states() == [MessageState.ANSWERING, MessageState.RECEIVED]

    def test_it_leaves_an_earlier_question_for_the_model_its_turn(
        self, account: OfficialAccount, model_is_configured: None
    ) -> None:
        earlier = timezone.now().replace(microsecond=0) - timedelta(seconds=5)
        stored(account, UNKNOWN, sent_at=earlier)
        attach([Message.objects.get().pk])
        assert answer_here(stored(account, HOURS[0])) == [("reply", Conversation.objects.get().pk)]
        assert states() == [MessageState.RECEIVED, MessageState.RECEIVED]
        assert {message.attempt for message in Message.objects.all()} == {0}

    def test_a_message_for_an_agent_ends_here_though_a_model_is_configured(
        self, account: OfficialAccount, model_is_configured: None
    ) -> None:
        first = stored(account, "转人工")
        answer_here(first)
        assert Conversation.objects.get().owner == Owner.QUEUE
        answer_here(stored(account, UNKNOWN))
        assert states() == [MessageState.HANDED_OVER] * 2

    def test_it_lets_go_when_it_fails(
        self, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object, **values: object) -> None:
            raise OperationalError(2006, "gone away")

        monkeypatch.setattr("webhook.flow.say", fail)
        with pytest.raises(OperationalError):
            answer_here(stored(account, RETURNS[0]))
        assert leases.renew_all() == 0


@pytest.mark.django_db(transaction=True)
class TestInTheWorker:
    def test_it_answers_all_in_the_customers_order(
        self, account: OfficialAccount, wechat: ApiStub
    ) -> None:
        second = stored(account, HOURS[0])
        stored(
            account,
            RETURNS[0],
            sent_at=timezone.now().replace(microsecond=0) - timedelta(seconds=9),
        )
        attach(list(Message.objects.values_list("pk", flat=True)))
        answer_conversation(conversation_of(second), model=ModelStub())
        assert wechat.texts == [RETURNS[1], HOURS[1]]
        assert states() == [MessageState.ANSWERED] * 2
        assert leases.renew_all() == 0

    def test_it_sends_the_first_part_itself_and_leaves_the_rest_to_the_deliverer(
        self, account: OfficialAccount, wechat: ApiStub, model_is_configured: None
    ) -> None:
        model = ModelStub("很长的一句回答。" * 200)
        answer_conversation(conversation_of(stored(account, UNKNOWN)), model=model)
        assert len(wechat.texts) == 1
        assert redis().llen("deliver") == 1
        by_api.deliver(Conversation.objects.get().pk)
        assert "".join(wechat.texts) == "很长的一句回答。" * 200

    def test_it_leaves_the_answer_to_the_request_that_waits(
        self, account: OfficialAccount, wechat: ApiStub, model_is_configured: None
    ) -> None:
        waits = timezone.now() + timedelta(seconds=2)
        message = stored(account, UNKNOWN, hold_until=waits)
        answer_conversation(conversation_of(message), model=ModelStub("不支持。"))
        assert wechat.tried == 0
        assert Reply.objects.get().state == ReplyState.READY

    def test_it_sends_nothing_on_an_unverified_account(
        self, wechat: ApiStub, model_is_configured: None
    ) -> None:
        message = stored(AccountFactory(reply_mode=ReplyMode.PASSIVE), UNKNOWN)
        answer_conversation(conversation_of(message), model=ModelStub("不支持。"))
        assert wechat.tried == 0
        assert Reply.objects.get().state == ReplyState.WAITING_FOR_CUSTOMER

    def test_it_finds_a_taken_conversation_and_ends(
        self, account: OfficialAccount, wechat: ApiStub
    ) -> None:
        message = stored(account, UNKNOWN)
        conversation_id = conversation_of(message)
        leases.lease_turn(conversation_id)
        model = ModelStub()
        answer_conversation(conversation_id, model=model)
        assert model.asked == []

    def test_an_answer_that_came_too_late_is_dropped(
        self, account: OfficialAccount, wechat: ApiStub, model_is_configured: None
    ) -> None:
        """Another worker thought this one dead, and has the message now."""
        message = stored(account, UNKNOWN)
        conversation_id = conversation_of(message)

        def another_takes_it() -> None:
            Conversation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            assert leases.lease_turn(conversation_id) is not None

        answer_conversation(
            conversation_id, model=ModelStub("迟到的回答", meanwhile=another_takes_it)
        )
        assert not Reply.objects.exists()
        assert wechat.tried == 0
        assert leases.renew_all() == 1

    def test_it_lets_go_when_it_cannot_look_for_the_accounts_token(
        self, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(account: object) -> None:
            raise OperationalError(2006, "gone away")

        conversation_id = conversation_of(stored(account, RETURNS[0]))
        monkeypatch.setattr("webhook.answering.by_api.line_at_hand", fail)
        with pytest.raises(OperationalError):
            answer_conversation(conversation_id, model=ModelStub())
        assert leases.renew_all() == 0

    def test_a_failure_lets_the_lease_run_out_and_the_next_attempt_answers(
        self, account: OfficialAccount, wechat: ApiStub, model_is_configured: None
    ) -> None:
        message = stored(account, UNKNOWN)
        conversation_id = conversation_of(message)

        def fail() -> None:
            raise RuntimeError("a bug")

        with pytest.raises(RuntimeError):
            answer_conversation(conversation_id, model=ModelStub("不支持。", meanwhile=fail))
        assert leases.renew_all() == 0
        Conversation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        answer_conversation(conversation_id, model=ModelStub("不支持。"))
        assert wechat.texts == ["不支持。"]
        assert Message.objects.get().attempt == 2

    def test_a_delivery_that_fails_for_a_bug_leaves_nothing_in_hand(
        self, account: OfficialAccount, wechat: ApiStub
    ) -> None:
        """The next message was claimed with the answer: its lease must run out, not be renewed for
        ever.
        """

        def fail() -> None:
            raise RuntimeError("a bug")

        wechat.meanwhile = fail
        earlier = timezone.now().replace(microsecond=0) - timedelta(seconds=9)
        first = stored(account, RETURNS[0], sent_at=earlier)
        conversation_id = conversation_of(first)
        attach([stored(account, HOURS[0]).pk])
        with pytest.raises(RuntimeError):
            answer_conversation(conversation_id, model=ModelStub())
        assert leases.renew_all() == 0

    def test_an_api_that_is_away_leaves_the_answer_for_later(
        self, account: OfficialAccount, wechat: ApiStub
    ) -> None:
        wechat.errors = [WeChatUnreachable()]
        answer_conversation(conversation_of(stored(account, RETURNS[0])), model=ModelStub())
        row = Reply.objects.get()
        assert (row.state, row.tries) == (ReplyState.READY, 1)
        assert Message.objects.get().state == MessageState.ANSWERED

    def test_what_waited_goes_out_before_the_answer(
        self, account: OfficialAccount, wechat: ApiStub
    ) -> None:
        message = stored(account, RETURNS[0])
        conversation = Conversation.objects.get(pk=conversation_of(message))
        earlier = timezone.now() - timedelta(hours=3)
        old = MessageFactory(
            conversation=conversation, state=MessageState.ANSWERED, hold=Hold.RELEASED
        )
        Reply.objects.create(
            conversation=conversation,
            message=old,
            author="bot",
            owner_version=0,
            text="等了很久的下一页",
            state=ReplyState.WAITING_FOR_CUSTOMER,
            created_at=earlier,
        )
        answer_conversation(conversation.pk, model=ModelStub())
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["等了很久的下一页", RETURNS[1]]


class TestTheTask:
    @pytest.mark.django_db(transaction=True)
    def test_it_answers_several_conversations_at_once(
        self, account: OfficialAccount, wechat: ApiStub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = [
            conversation_of(stored(account, RETURNS[0], openid=f"o{number}")) for number in range(3)
        ]
        tasks.reply_to_customers(ids)
        assert sent() == [RETURNS[1]] * 3
        assert set(Reply.objects.values_list("channel", flat=True)) == {Channel.API}
        assert Customer.objects.filter(message_sends_left=4).count() == 3

    def test_one_publish_carries_many(self) -> None:
        tasks.queue_replies([1, 2, 3])
        assert redis().llen("reply") == 1

    def test_nothing_is_published_for_nobody(self) -> None:
        tasks.queue_replies([])
        assert redis().llen("reply") == 0

    def test_a_broker_that_is_away_is_no_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*arguments: object, **values: object) -> None:
            raise tasks.BrokerAway("no connection")

        monkeypatch.setattr(tasks.reply_to_customers, "apply_async", away)
        tasks.queue_replies([1])
