"""Before anybody types, the page says whose the customer is, and what replying will do."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Author, Reply
from tests.factories import held_turn, make_agent
from tickets.models import Agent, Reason, Status, Ticket
from tickets.services import assign, hand_over, take

pytestmark = pytest.mark.django_db

AS_SCRIPT = {"headers": {"accept": "application/json"}}


@pytest.fixture
def ticket(liming: Agent) -> Ticket:
    return hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)


@pytest.fixture
def desk(wangfang: Agent) -> Client:
    """The second agent looks."""
    client = Client()
    client.force_login(wangfang.user)
    return client


def url(name: str, ticket: Ticket) -> str:
    return reverse(f"desk:{name}", args=[ticket.pk])


def page(client: Client, ticket: Ticket) -> str:
    return " ".join(client.get(url("ticket", ticket)).content.decode().split())


def notice(client: Client, ticket: Ticket) -> str:
    return client.get(url("live", ticket)).json()["pieces"]["notice"]


def tag(found: str, element: str, name: str) -> str:
    there = re.search(rf'<{element}[^>]*id="{name}"[^>]*>', found)
    assert there is not None
    return there[0]


def test_it_says_that_a_colleague_serves_the_customer_and_offers_to_take_over(
    desk: Client, ticket: Ticket, liming: Agent
) -> None:
    take(ticket, liming)
    found = page(desk, ticket)
    assert "李明 正在接待这位客户。" in notice(desk, ticket)
    assert 'form="take"' in notice(desk, ticket)
    assert " readonly " in tag(found, "textarea", "text")
    assert " disabled" in tag(found, "button", "send")


def test_it_opens_the_box_to_whom_the_customer_is_served_by(ticket: Ticket, liming: Agent) -> None:
    take(ticket, liming)
    client = Client()
    client.force_login(liming.user)
    found = page(client, ticket)
    assert notice(client, ticket).strip() == ""
    assert " readonly " not in tag(found, "textarea", "text")
    assert " disabled" not in tag(found, "button", "send")


def test_it_brings_the_offer_with_the_refusal(
    desk: Client, ticket: Ticket, liming: Agent, wangfang: Agent
) -> None:
    take(ticket, liming)
    state = desk.post(url("reply", ticket), {"text": "我来"}, **AS_SCRIPT).json()
    assert state["problem"] == "李明 正在接待这位客户，接手后可以发送。"
    assert state["is_anothers"]
    assert 'form="take"' in state["pieces"]["notice"]
    assert not Reply.objects.filter(author=Author.AGENT).exists()
    taken = desk.post(url("take", ticket), {"seen": liming.pk}, **AS_SCRIPT).json()
    assert (taken["problem"], taken["is_anothers"]) == ("", False)
    assert taken["done"]
    assert desk.post(url("reply", ticket), {"text": "我来"}, **AS_SCRIPT).json()["problem"] == ""


def test_it_says_that_a_reply_takes_what_is_meant_for_a_colleague(
    desk: Client, ticket: Ticket, liming: Agent
) -> None:
    assert ticket.assignee == liming
    assert "分配给 李明，您回复后将由您接手。" in notice(desk, ticket)
    assert " readonly " not in tag(page(desk, ticket), "textarea", "text")


def test_it_says_that_a_reply_takes_what_nobody_has(desk: Client, ticket: Ticket) -> None:
    Ticket.objects.update(assignee=None, status=Status.OPEN)
    assert "还没有人接手，您回复后将由您接手。" in notice(desk, ticket)


def test_it_keeps_the_list_of_colleagues_true(
    desk: Client, ticket: Ticket, liming: Agent, wangfang: Agent
) -> None:
    make_agent("赵敏")
    before = desk.get(url("live", ticket)).json()
    assert ["李明" in before["pieces"]["colleagues"], "王芳" in before["pieces"]["colleagues"]] == [
        False,
        True,
    ]
    assign(ticket, wangfang)
    after = desk.get(url("live", ticket), {"digest": before["digest"]}).json()
    assert ["李明" in after["pieces"]["colleagues"], "王芳" in after["pieces"]["colleagues"]] == [
        True,
        False,
    ]


def test_it_offers_a_viewer_nothing_to_take(ticket: Ticket, liming: Agent, wangfang: Agent) -> None:
    take(ticket, liming)
    wangfang.user.user_permissions.remove(
        wangfang.user.user_permissions.get(codename="change_ticket")
    )
    client = Client()
    client.force_login(wangfang.user)
    assert 'form="take"' not in page(client, ticket)
    assert "没有回复的权限" in notice(client, ticket)
