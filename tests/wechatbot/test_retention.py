"""Nothing is kept for ever unless somebody says so, and nothing goes that
somebody still works on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from assistant.models import AnswerLog, Source
from common import retention as sweeping
from conversations.models import Author, Message, MessageState, Reply, ReplyState
from llm.models import ModelCall, Outcome
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory
from tickets.models import Reason, Ticket
from wechatbot import retention, tasks
from wechatbot.celery import app

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "pause", lambda seconds: None)


def ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def message_of(days: float, **values: Any) -> Message:
    values.setdefault("state", MessageState.ANSWERED)
    return MessageFactory(received_at=ago(days), sent_at=ago(days), **values)


def test_messages_go_with_their_replies_after_400_days() -> None:
    old, new = message_of(401), message_of(399)
    for message in (old, new):
        sent = {"created_at": message.received_at, "state": ReplyState.SENT}
        ReplyFactory(message=message, conversation=message.conversation, **sent)
    ReplyFactory(
        author=Author.AGENT,
        created_at=ago(401),
        state=ReplyState.SENT,
        conversation=new.conversation,
    )

    retention.delete_old()

    assert list(Message.objects.all()) == [new]
    assert [reply.message for reply in Reply.objects.all()] == [new]


def test_what_an_open_ticket_shows_stays() -> None:
    served, closed = ConversationFactory(), ConversationFactory()
    for conversation in (served, closed):
        answered = message_of(500, conversation=conversation)
        ReplyFactory(message=answered, conversation=conversation, state=ReplyState.SENT)
        ReplyFactory(
            conversation=conversation,
            author=Author.AGENT,
            created_at=ago(500),
            state=ReplyState.SENT,
        )
        Ticket.objects.create(
            number=f"T{conversation.pk}",
            reason=Reason.CUSTOMER_ASKED,
            customer=conversation.customer,
            conversation=conversation,
            open_for=conversation if conversation is served else None,
            created_at=ago(500),
        )

    retention.delete_old()

    assert set(Message.objects.values_list("conversation_id", flat=True)) == {served.pk}
    assert Reply.objects.filter(conversation=served).count() == 2
    assert not Reply.objects.filter(conversation=closed).exists()
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize("state", [MessageState.RECEIVED, MessageState.ANSWERING])
def test_what_nobody_has_answered_yet_stays(state: MessageState) -> None:
    message_of(500, state=state)
    ReplyFactory(author=Author.AGENT, created_at=ago(500), state=ReplyState.READY)

    retention.delete_old()

    assert Message.objects.count() == 1
    assert Reply.objects.count() == 1


@pytest.mark.parametrize(
    "state", [ReplyState.READY, ReplyState.SENDING, ReplyState.WAITING_FOR_CUSTOMER]
)
def test_an_answer_that_waits_to_be_sent_stays_with_its_message(state: ReplyState) -> None:
    message = message_of(500)
    ReplyFactory(message=message, conversation=message.conversation, state=ReplyState.SENT)
    ReplyFactory(message=message, conversation=message.conversation, part=2, state=state)

    retention.delete_old()

    assert Message.objects.get() == message
    assert Reply.objects.filter(state=state).exists()


def test_the_xml_of_a_push_goes_after_30_days_and_the_message_stays() -> None:
    message_of(31, raw="<xml>old</xml>")
    message_of(29, raw="<xml>new</xml>")

    retention.delete_old()

    assert list(Message.objects.order_by("received_at").values_list("raw", flat=True)) == [
        "",
        "<xml>new</xml>",
    ]


def test_logs_go_after_90_days_and_the_admins_after_400(admin_user: Any) -> None:
    for days in (91, 89):
        ModelCall.objects.create(model="m", outcome=Outcome.OK, created_at=ago(days))
        AnswerLog.objects.create(question="q", source=Source.FAQ, created_at=ago(days))
    for days in (401, 399):
        entry = LogEntry.objects.create(
            user=admin_user, action_flag=ADDITION, object_repr="x", change_message=""
        )
        LogEntry.objects.filter(pk=entry.pk).update(action_time=ago(days))

    retention.delete_old()

    assert (ModelCall.objects.count(), AnswerLog.objects.count(), LogEntry.objects.count()) == (
        1,
        1,
        1,
    )


def test_sessions_that_have_ended_go() -> None:
    Session.objects.create(session_key="over", session_data="", expire_date=ago(0.01))
    Session.objects.create(session_key="runs", session_data="", expire_date=ago(-1))

    retention.delete_old()

    assert list(Session.objects.values_list("session_key", flat=True)) == ["runs"]


def test_zero_days_keep_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEEP_RAW_DAYS", "KEEP_LOG_DAYS", "KEEP_MESSAGE_DAYS"):
        monkeypatch.setattr(settings, name, 0)
    message_of(5000, raw="<xml/>")
    ModelCall.objects.create(model="m", outcome=Outcome.OK, created_at=ago(5000))

    retention.delete_old()

    assert Message.objects.get().raw == "<xml/>"
    assert ModelCall.objects.count() == 1


def many_calls(count: int) -> None:
    rows = [ModelCall(model="m", outcome=Outcome.OK, created_at=ago(100)) for _ in range(count)]
    ModelCall.objects.bulk_create(rows)


@pytest.mark.django_db(transaction=True)
def test_each_transaction_is_small_and_a_pause_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "SLICE_ROWS", 10)
    left: list[int] = []

    def note(seconds: float) -> None:
        assert not connection.in_atomic_block
        assert seconds >= sweeping.SHORTEST_PAUSE_SECONDS
        left.append(ModelCall.objects.count())

    monkeypatch.setattr(sweeping, "pause", note)
    many_calls(25)

    retention.delete_old()

    assert left == [15, 5, 0]


def test_a_pass_that_was_cut_off_goes_on_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "SLICE_ROWS", 10)
    many_calls(25)
    asked = iter([True, True, True])

    retention.delete_old(lambda: next(asked, False))
    assert ModelCall.objects.count() in (5, 15)

    retention.delete_old()
    assert not ModelCall.objects.exists()


def test_a_worker_that_ends_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    many_calls(3)
    monkeypatch.setattr(tasks.state, "should_stop", 0)
    tasks.delete_old()
    assert ModelCall.objects.count() == 3

    monkeypatch.setattr(tasks.state, "should_stop", None)
    tasks.delete_old()
    assert not ModelCall.objects.exists()


def test_two_processes_do_not_delete_at_once() -> None:
    lease = retention._leases.acquire(retention.LEASE, 1)
    assert lease is not None
    try:
        assert retention.delete_old() == {}
    finally:
        retention._leases.release(retention.LEASE, lease)


def test_it_happens_every_night_on_the_queue_of_small_jobs() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["delete what is old"]
    assert entry["task"] == tasks.delete_old.name
    assert app.amqp.router.route({}, entry["task"])["queue"].name == "default"
    assert entry["schedule"].hour == {3, 4, 5}


def test_the_command_says_what_it_deleted(capsys: pytest.CaptureFixture) -> None:
    many_calls(2)

    call_command("delete_old")

    assert "model calls: 2" in capsys.readouterr().out
