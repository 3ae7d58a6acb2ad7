"""An agent's reply is written once, although its page may have to ask again: the answer can be lost
on its way back.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from conversations.models import Author, Conversation, Reply
from conversations.replies import routes
from conversations.replies.by_hand import write_to_customer
from tests.at_once import at_once
from tests.factories import ConversationFactory, held_turn, next_turn
from tickets import services
from tickets.desk.forms import new_draft_key
from tickets.models import Agent, EventKind, Reason, Ticket
from tickets.services import add_message, hand_over, resolve, take

AS_SCRIPT = {"headers": {"accept": "application/json"}}
KEY = "0123456789abcdef0123456789abcdef"
LONG = "请把鞋子寄回这个地址。" * 150


@pytest.fixture
def ticket(liming: Agent) -> Ticket:
    return hand_over(held_turn(text="鞋子小了能换吗"), reason=Reason.CUSTOMER_ASKED)


@pytest.fixture
def desk(liming: Agent) -> Client:
    client = Client()
    client.force_login(liming.user)
    return client


def key_on(page: str) -> str:
    found = re.search(r'name="key"\s+value="([^"]*)"', page)
    assert found is not None
    return found[1]


def send(client: Client, ticket: Ticket, text: str, key: str = KEY) -> tuple[int, dict[str, str]]:
    form = {"text": text, "key": key}
    answer = client.post(reverse("desk:reply", args=[ticket.pk]), form, **AS_SCRIPT)
    return answer.status_code, answer.json()


def written() -> list[str]:
    replies = Reply.objects.filter(author=Author.AGENT).order_by("pk")
    return [reply.text for reply in replies]


@pytest.mark.django_db
class TestThePage:
    def test_each_page_that_is_served_has_a_key_of_its_own(
        self, desk: Client, ticket: Ticket
    ) -> None:
        address = reverse("desk:ticket", args=[ticket.pk])
        keys = {key_on(desk.get(address).content.decode()) for _ in range(3)}
        assert len(keys) == 3
        assert all(re.fullmatch(r"[0-9a-f]{32}", key) for key in keys)

    def test_asked_again_it_gets_the_same_answer_and_nothing_is_written(
        self, desk: Client, ticket: Ticket
    ) -> None:
        status, first = send(desk, ticket, "可以换。")
        again, second = send(desk, ticket, "可以换。")
        assert (status, again) == (200, 200)
        assert (first["problem"], second["problem"]) == ("", "")
        assert first["digest"] == second["digest"]
        assert written() == ["可以换。"]

    def test_the_next_draft_has_another_key(self, desk: Client, ticket: Ticket) -> None:
        _, answer = send(desk, ticket, "您好。")
        assert answer["draft_key"] not in ("", KEY)
        send(desk, ticket, "您好。", answer["draft_key"])
        assert written() == ["您好。", "您好。"]

    def test_all_parts_of_a_long_one_are_written_once(self, desk: Client, ticket: Ticket) -> None:
        send(desk, ticket, LONG)
        parts = written()
        assert len(parts) > 1
        assert send(desk, ticket, LONG)[1]["problem"] == ""
        assert written() == parts

    def test_words_that_were_changed_since_are_not_taken_for_sent(
        self, desk: Client, ticket: Ticket
    ) -> None:
        send(desk, ticket, "可以换。")
        status, answer = send(desk, ticket, "可以换，请寄回。")
        assert status == 409
        assert "修改后的内容还没有发送" in answer["problem"]
        assert written() == ["可以换。"]
        assert send(desk, ticket, "可以换，请寄回。", answer["draft_key"])[0] == 200
        assert written() == ["可以换。", "可以换，请寄回。"]

    def test_a_page_of_the_former_release_sends_without_a_key(
        self, desk: Client, ticket: Ticket
    ) -> None:
        for _ in range(2):
            assert send(desk, ticket, "您好。", "")[0] == 200
        assert written() == ["您好。", "您好。"]

    def test_a_key_that_is_none_is_refused_with_words(self, desk: Client, ticket: Ticket) -> None:
        status, answer = send(desk, ticket, "您好。", "x" * 33)
        assert (status, bool(answer["problem"])) == (400, True)
        assert written() == []

    def test_a_plain_form_that_was_refused_keeps_words_and_key(
        self, desk: Client, ticket: Ticket, wangfang: Agent
    ) -> None:
        take(ticket, wangfang)
        form = {"text": "我来看看。", "key": KEY}
        answer = desk.post(reverse("desk:reply", args=[ticket.pk]), form)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert key_on(page) == KEY
        assert "我来看看。</textarea>" in page


@pytest.mark.django_db
class TestWhatHappenedSince:
    """Between the first asking and the second."""

    def test_the_ticket_was_resolved(self, desk: Client, ticket: Ticket, liming: Agent) -> None:
        send(desk, ticket, "可以换。")
        resolve(ticket, liming)
        status, answer = send(desk, ticket, "可以换。")
        assert (status, answer["problem"]) == (200, "")
        assert written() == ["可以换。"]

    def test_a_colleague_took_over(
        self, desk: Client, ticket: Ticket, liming: Agent, wangfang: Agent
    ) -> None:
        send(desk, ticket, "可以换。")
        take(ticket, wangfang, from_agent=liming)
        assert send(desk, ticket, "可以换。")[0] == 200
        ticket.refresh_from_db()
        assert ticket.assignee == wangfang
        assert written() == ["可以换。"]

    def test_the_customer_wrote_and_goes_on_waiting(self, desk: Client, ticket: Ticket) -> None:
        send(desk, ticket, "可以换。")
        add_message(next_turn(ticket.conversation, "运费谁出"))
        send(desk, ticket, "可以换。")
        ticket.refresh_from_db()
        assert ticket.waiting_since is not None
        assert ticket.events.filter(kind=EventKind.TAKEN).count() == 1

    def test_the_first_process_died_before_it_could_ask_for_delivery(
        self,
        ticket: Ticket,
        liming: Agent,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        asked: list[int] = []
        monkeypatch.setattr(routes, "queue_delivery", asked.append)
        services.reply(ticket, liming, "可以换。", draft_key=KEY)
        assert asked == []
        with django_capture_on_commit_callbacks(execute=True):
            services.reply(ticket, liming, "可以换。", draft_key=KEY)
        assert asked == [ticket.conversation_id]


@pytest.mark.django_db
def test_a_key_of_another_conversation_sends_nothing_here(
    desk: Client, ticket: Ticket, liming: Agent
) -> None:
    send(desk, ticket, "可以换。")
    other = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    status, answer = send(desk, other, "可以换。")
    assert (status, bool(answer["problem"])) == (409, True)
    assert "可以换。" not in answer["pieces"]["thread"]
    assert not other.conversation.replies.filter(author=Author.AGENT).exists()
    assert send(desk, other, "可以换。", answer["draft_key"])[0] == 200


@pytest.mark.django_db
def test_a_transaction_whose_ok_was_lost_is_run_again_without_harm(
    desk: Client, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a page gave no key the view makes one, for all runs of one request."""
    keys: list[str] = []

    def twice(*args: Any, draft_key: str) -> list[Reply]:
        keys.append(draft_key)
        original(*args, draft_key=draft_key)
        return original(*args, draft_key=draft_key)

    original = services.reply
    monkeypatch.setattr(services, "reply", twice)
    assert send(desk, ticket, "您好。", "")[0] == 200
    assert [len(key) for key in keys] == [32]
    assert written() == ["您好。"]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_requests_with_one_key_write_one_reply(self, liming: Agent) -> None:
        for _ in range(5):
            key = new_draft_key()
            ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)

            def ask(pk: int = ticket.pk, key: str = key) -> list[int]:
                row = Ticket.objects.select_related("conversation__customer").get(pk=pk)
                replies = services.reply(row, liming, LONG, draft_key=key)
                return [reply.pk for reply in replies]

            first, *others = at_once(ask, ask, ask)
            assert others == [first, first]
            assert Reply.objects.filter(draft_key=key).count() == len(first)

    def test_so_they_do_where_nothing_else_keeps_them_apart(self, db: None) -> None:
        for _ in range(5):
            key = new_draft_key()
            conversation = ConversationFactory()

            def ask(pk: int = conversation.pk, key: str = key) -> list[int]:
                row = Conversation.objects.select_related("customer", "account").get(pk=pk)
                replies = write_to_customer(row, "您好。", author=Author.AGENT, draft_key=key)
                return [reply.pk for reply in replies]

            first, *others = at_once(ask, ask, ask)
            assert others == [first, first]
