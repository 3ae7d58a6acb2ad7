"""The database does what it was told and its OK is lost: every text goes out once, and nobody takes
their own work for another's.

Each story is lived once for each of its statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from conversations.models import (
    Author,
    Conversation,
    Customer,
    Ending,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import by_api, wakes
from conversations.replies import say as saying
from conversations.replies.passive import Fetch, fetch_replies
from conversations.turns.arriving import attach
from conversations.window import ledger
from tests.factories import AccountFactory, ConversationFactory, ReplyFactory
from tests.faqs import RETURNS
from tests.webhook.builders import push
from tests.webhook.lost_answers import LosingDatabase, Story, at_each_statement, losing_database
from tests.worlds.api_stub import ApiStub
from tests.worlds.model_stub import ModelStub
from webhook import door
from webhook.answering import answer_conversation
from webhook.intake import Push, take_in
from wechat.models import ReplyMode

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]


@pytest.fixture
def database() -> Iterator[LosingDatabase]:
    with losing_database() as database:
        yield database


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The messages whose waiting requests, in another process, were told to look."""
    ids: list[int] = []
    monkeypatch.setattr(saying, "wake", ids.append)
    return ids


class RequestsHere:
    """The requests that wait in this very process: all of them, and what they were given."""

    def __init__(self) -> None:
        self.given: list[tuple[int, str | None]] = []

    def is_waiting_here(self, message_id: int) -> bool:
        return True

    def wake_from_thread(self, message_id: int, text: str | None = None) -> bool:
        self.given.append((message_id, text))
        return True


@pytest.fixture
def requests_here() -> Iterator[RequestsHere]:
    requests = RequestsHere()
    wakes.listen_here(requests)
    yield requests
    wakes.listen_here(None)


def stored(number: int, *, passive: bool = False, **values: object) -> Push:
    """The customer's question, as the callback has stored it."""
    account = AccountFactory(reply_mode=ReplyMode.PASSIVE if passive else ReplyMode.API)
    pushed = push(account, RETURNS[0], openid=f"oLost{number}", **values)
    take_in([pushed])
    return pushed


def answer_as_worker(conversation_id: int) -> None:
    answer_conversation(conversation_id, model=ModelStub())


def until_through(story: Callable[[], object]) -> None:
    """What a function that is not `database_work` reads is not read again: the message has another
    attempt when its lease has run out.
    """
    try:
        story()
    except (DatabaseError, InterfaceError):
        connection.close()
        let_leases_run_out()
        story()


def let_leases_run_out() -> None:
    Conversation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def texts_to(customer: Customer, wechat: ApiStub) -> list[str]:
    return [text for openid, text in wechat.sent if openid == customer.openid]


class TestByTheApi:
    def test_a_workers_answer_goes_out_once(
        self, database: LosingDatabase, wechat: ApiStub
    ) -> None:
        """Its text is written, claimed and sent by one task."""

        def prepare(number: int) -> Story:
            pushed = stored(number, hold_until=None)
            (conversation_id,) = attach([pushed.id])
            conversation = Conversation.objects.get(pk=conversation_id)
            return Story(
                live=lambda: until_through(lambda: answer_as_worker(conversation_id)),
                check=lambda: check(conversation),
            )

        def check(conversation: Conversation) -> None:
            assert texts_to(conversation.customer, wechat) == [RETURNS[1]]
            row = conversation.replies.get()
            assert (row.state, row.tries) == (ReplyState.SENT, 1)
            assert Customer.objects.get(pk=row.conversation.customer_id).message_sends_left == 4
            assert conversation.messages.get().state == MessageState.ANSWERED

        assert at_each_statement(database, prepare) > 10

    def test_a_text_that_lay_ready_goes_out_once(
        self, database: LosingDatabase, wechat: ApiStub
    ) -> None:
        """An agent's words, or a further part of an answer: claimed and sent by the delivery."""

        def prepare(number: int) -> Story:
            conversation = ConversationFactory(customer__openid=f"oLost{number}")
            ledger.open_message_window(conversation.customer_id, timezone.now())
            ReplyFactory(conversation=conversation, author=Author.AGENT, text="您好")
            return Story(
                live=lambda: until_through(lambda: by_api.deliver(conversation.pk)),
                check=lambda: check(conversation),
            )

        def check(conversation: Conversation) -> None:
            assert texts_to(conversation.customer, wechat) == ["您好"]
            row = conversation.replies.get()
            assert (row.state, row.tries) == (ReplyState.SENT, 1)
            assert Customer.objects.get(pk=row.conversation.customer_id).message_sends_left == 4

        assert at_each_statement(database, prepare) > 4


class TestByTheReplyToThePush:
    def test_the_request_that_waits_elsewhere_is_woken_once(
        self, database: LosingDatabase, woken: list[int]
    ) -> None:
        def prepare(number: int) -> Story:
            pushed = stored(number, passive=True)
            return Story(live=lambda: door._answer(pushed), check=lambda: check(pushed))

        def check(pushed: Push) -> None:
            assert Message.objects.get(pk=pushed.id).state == MessageState.ANSWERED
            row = Reply.objects.get(message=pushed.id)
            assert (row.state, row.text) == (ReplyState.READY, RETURNS[1])
            assert woken == [pushed.id]
            woken.clear()

        assert at_each_statement(database, prepare) > 10

    def test_the_request_that_waits_here_is_given_the_text(
        self, database: LosingDatabase, requests_here: RequestsHere
    ) -> None:
        def prepare(number: int) -> Story:
            pushed = stored(number, passive=True)
            return Story(live=lambda: door._answer(pushed), check=lambda: check(pushed))

        def check(pushed: Push) -> None:
            message = Message.objects.get(pk=pushed.id)
            assert message.state == MessageState.ANSWERED
            assert (message.ended_with, message.passive_text) == (Ending.TEXT, RETURNS[1])
            assert message.replies.get().state == ReplyState.SENT
            # Whoever is only woken reads the row, which holds the text.
            (given,) = requests_here.given
            assert given in [(pushed.id, RETURNS[1]), (pushed.id, None)]
            requests_here.given.clear()

        assert at_each_statement(database, prepare) > 10

    def test_the_request_carries_what_it_claimed(self, database: LosingDatabase) -> None:
        read: list[str | None] = []

        def prepare(number: int) -> Story:
            pushed = stored(number, passive=True)
            door._answer(pushed)
            return Story(
                live=lambda: until_through(lambda: carry(pushed)), check=check_carried(pushed)
            )

        def carry(pushed: Push) -> None:
            read.append(fetch_replies([Fetch(pushed.id, "look")])[0].text)

        def check_carried(pushed: Push) -> Callable[[], None]:
            def check() -> None:
                assert read == [RETURNS[1]]
                read.clear()
                assert Reply.objects.get(message=pushed.id).state == ReplyState.SENT
                assert fetch_replies([Fetch(pushed.id, "last")])[0].text == RETURNS[1]

            return check

        assert at_each_statement(database, prepare) > 4
