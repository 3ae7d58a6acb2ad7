"""The admin's front page: what needs somebody stands on it, each number leads to its rows, and a
login leads to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from conversations.models import MessageState, ReplyState
from knowledge.models import FAQ
from llm.models import ModelCall, Outcome
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory
from tickets.models import Reason, Status, Ticket
from wechatbot.front_page import Reader, matters, numbers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


def open_ticket(
    status: Status,
    waiting_since: datetime | None = None,
    created_at: datetime | None = None,
    *,
    is_open: bool = True,
) -> None:
    conversation = ConversationFactory()
    Ticket.objects.create(
        number=f"T{conversation.pk}",
        reason=Reason.CUSTOMER_ASKED,
        customer=conversation.customer,
        conversation=conversation,
        open_for=conversation if is_open else None,
        status=status,
        waiting_since=waiting_since,
        created_at=created_at or timezone.now(),
    )


@pytest.fixture
def reader(admin_user: User) -> Reader:
    return Reader(admin_user)


def needed(reader: Reader) -> list[tuple[str, int]]:
    return [(str(matter.title), matter.count) for matter in matters(reader, timezone.localtime())]


@pytest.fixture
def a_busy_day() -> None:
    """Of each kind one or more that count, and beside them what looks alike and does not."""
    now = timezone.now()
    yesterday = now - timedelta(days=1, hours=1)
    for state in MessageState:
        message = MessageFactory(state=state)
        MessageFactory(state=state, received_at=yesterday)
    for source in ("faq", "faq", "model", "cache"):
        ReplyFactory(source=source, state=ReplyState.SENT)
    ReplyFactory(conversation=message.conversation, message=message, source="faq", part=2)
    for state in (ReplyState.FAILED, ReplyState.UNKNOWN):
        ReplyFactory(state=state)
        ReplyFactory(state=state, created_at=yesterday)
    for outcome in Outcome:
        ModelCall.objects.create(model="small", outcome=outcome)
        ModelCall.objects.create(model="small", outcome=outcome, created_at=yesterday)
    open_ticket(Status.ASSIGNED)
    open_ticket(Status.OPEN, created_at=yesterday)
    open_ticket(Status.ANSWERING, waiting_since=now)
    open_ticket(Status.ANSWERING)
    open_ticket(Status.RESOLVED, is_open=False)


@pytest.mark.usefixtures("a_busy_day")
def test_each_number_leads_to_the_list_of_as_many_rows(
    admin_client: Client, reader: Reader
) -> None:
    shown = numbers(reader, timezone.localtime())
    found = {
        number.title: admin_client.get(number.link).context["cl"].result_count for number in shown
    }
    assert found == {number.title: number.today for number in shown}
    assert found == {
        "客户消息": 4,
        "FAQ 回答": 2,
        "模型回答": 1,
        "转给人工的消息": 1,
        "新工单": 4,
        "模型调用失败": 8,
    }


@pytest.mark.usefixtures("a_busy_day")
def test_each_matter_leads_to_the_list_of_as_many_rows(
    admin_client: Client, reader: Reader
) -> None:
    shown = matters(reader, timezone.localtime())
    found = {
        matter.title: admin_client.get(matter.link).context["cl"].result_count for matter in shown
    }
    assert found == {matter.title: matter.count for matter in shown}
    assert set(found.values()) == {1, 2, 8}


def test_an_agent_sees_only_what_they_may_open(client: Client) -> None:
    agent = User.objects.create_user("li", password="x", is_staff=True)
    agent.user_permissions.set(Permission.objects.filter(codename__in=["view_ticket", "view_faq"]))
    ModelCall.objects.create(model="small", outcome=Outcome.TIMEOUT)
    open_ticket(Status.OPEN)
    FAQ.objects.create(question="怎么退货", answer="七天内可退。")
    client.force_login(agent)

    page = client.get(reverse("admin:index"))

    assert [number.title for number in page.context["numbers"]] == ["新工单"]
    assert [matter.title for matter in page.context["matters"]] == ["等待接手的工单"]
    for start in page.context["starts"]:
        assert client.get(start.link).status_code == 200
    assert "查看 FAQ" in page.content.decode()


def test_nothing_needs_anybody_in_a_new_installation(reader: Reader) -> None:
    assert needed(reader) == []


def test_a_ticket_that_nobody_took_needs_somebody(reader: Reader) -> None:
    open_ticket(Status.ASSIGNED)
    assert needed(reader) == [("等待接手的工单", 1)]


def test_a_customer_who_waits_for_the_agents_next_word_needs_somebody(reader: Reader) -> None:
    open_ticket(Status.ANSWERING, waiting_since=timezone.now())
    open_ticket(Status.ANSWERING)
    assert needed(reader) == [("客户在等客服回复的工单", 1)]


def test_the_login_page_opened_by_itself_leads_to_the_front_page(
    client: Client, admin_user: object
) -> None:
    page = client.post(reverse("admin:login"), {"username": "admin", "password": "password"})
    assert (page.status_code, page["Location"]) == (302, reverse("admin:index"))
