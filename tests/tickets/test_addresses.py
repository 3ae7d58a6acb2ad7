"""Each page and each action of the desk asks who may see the ticket; its former addresses in the
admin still work.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from conversations.models import Author, Reply
from tests.factories import held_turn, make_agent
from tickets.desk.actions import ACTIONS
from tickets.desk.urls import urlpatterns
from tickets.models import Agent, Reason, Ticket, TicketEvent, TicketQuerySet
from tickets.presence import agents_there
from tickets.services import hand_over, resolve

pytestmark = pytest.mark.django_db

FORMER = "/admin/tickets/ticket/"
AS_SCRIPT = {"headers": {"accept": "application/json"}}


@pytest.fixture
def ticket(liming: Agent) -> Ticket:
    return hand_over(held_turn(text="鞋子小了能换吗"), reason=Reason.CUSTOMER_ASKED)


@pytest.fixture
def desk(liming: Agent) -> Client:
    client = Client()
    client.force_login(liming.user)
    return client


def addresses(ticket: Ticket) -> list[str]:
    """All of the desk, and where its pages were before."""
    found = []
    for pattern in urlpatterns:
        values = dict.fromkeys(pattern.pattern.converters, ticket.pk)
        found.append(reverse(f"desk:{pattern.name}", kwargs=values))
    return [*found, *(former(address) for address in found)]


def former(address: str) -> str:
    is_page = address.removeprefix("/desk/").strip("/").isdigit()
    return address.replace("/desk/", FORMER) + ("change/" if is_page else "")


def everything_on(ticket: Ticket) -> dict[str, Any]:
    """What an action could change."""
    row = Ticket.objects.filter(pk=ticket.pk).values().get()
    return {**row, "events": TicketEvent.objects.count(), "replies": Reply.objects.count()}


def answers(client: Client, address: str) -> list[HttpResponse]:
    form = {"text": "您好。", "priority": "3", "agent": Agent.objects.latest("pk").pk}
    return [client.get(address, follow=True), client.post(address, form, follow=True)]


def hide(monkeypatch: pytest.MonkeyPatch, hidden: Ticket) -> None:
    def visible_to(rows: TicketQuerySet, user: User | AnonymousUser) -> TicketQuerySet:
        return rows.exclude(pk=hidden.pk)

    monkeypatch.setattr(TicketQuerySet, "visible_to", visible_to)


def test_it_asks_a_stranger_to_log_in_everywhere(ticket: Ticket) -> None:
    before = everything_on(ticket)
    for address in addresses(ticket):
        for answer in (Client().get(address), Client().post(address)):
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/admin/login/"), address
    assert everything_on(ticket) == before


def test_it_shows_and_changes_nothing_for_staff_without_permission(
    ticket: Ticket, wangfang: Agent
) -> None:
    wangfang.user.user_permissions.clear()
    client = Client()
    client.force_login(wangfang.user)
    before, there = everything_on(ticket), agents_there()
    for address in addresses(ticket):
        for answer in answers(client, address):
            may_be = {204, 405} if address.endswith("/here/") else {403, 404, 405}
            assert answer.status_code in may_be, address
            assert ticket.number not in answer.content.decode(), address
    assert everything_on(ticket) == before
    assert agents_there() == there


def test_a_ticket_that_a_user_may_not_see_is_nowhere(
    desk: Client, ticket: Ticket, wangfang: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything_on(ticket)
    hide(monkeypatch, ticket)
    for address in addresses(ticket):
        is_of_ticket = f"/{ticket.pk}/" in address
        for answer in answers(desk, address):
            assert answer.status_code in ({404, 405} if is_of_ticket else {200, 204, 405}), address
            assert ticket.number not in answer.content.decode(), address
    assert everything_on(ticket) == before


def test_what_a_user_may_not_see_is_not_counted(
    desk: Client, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counts() -> set[int]:
        return {tab["count"] for tab in desk.get(reverse("desk:queue")).context["queues"]}

    assert 1 in counts()
    assert desk.get(reverse("admin:index")).context["matters"]
    hide(monkeypatch, ticket)
    assert counts() == {0, None}
    assert not desk.get(reverse("admin:index")).context["matters"]


def test_a_customers_other_ticket_that_a_user_may_not_see_is_not_named(
    desk: Client, ticket: Ticket, liming: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(ticket, liming)
    later = Ticket.objects.create(
        number="LATER", customer=ticket.customer, conversation=ticket.conversation, reason="broken"
    )
    address = reverse("desk:ticket", args=[ticket.pk])
    assert later.number in desk.get(address).content.decode()
    hide(monkeypatch, later)
    assert later.number not in desk.get(address).content.decode()


class TestFormerAddresses:
    def test_they_lead_to_the_same_place_and_keep_the_query(
        self, desk: Client, ticket: Ticket
    ) -> None:
        for old, new in {
            f"{FORMER}?queue=all&q=%E5%BC%A0": "/desk/?queue=all&q=%E5%BC%A0",
            FORMER: "/desk/",
            f"{FORMER}{ticket.pk}/change/?newest=300": f"/desk/{ticket.pk}/?newest=300",
        }.items():
            answer = desk.get(old)
            assert (answer.status_code, answer["Location"]) == (302, new)
            assert desk.get(new).status_code == 200

    def test_a_short_one_and_one_of_nothing_are_answered_as_before(
        self, desk: Client, ticket: Ticket
    ) -> None:
        found = desk.get(f"{FORMER}{ticket.pk}/", follow=True)
        assert found.redirect_chain[-1][0] == f"/desk/{ticket.pk}/"
        assert desk.get(f"{FORMER}404/change/").status_code == 404

    def test_the_actions_of_a_page_that_is_still_open_are_carried_out(
        self, desk: Client, ticket: Ticket, wangfang: Agent
    ) -> None:
        for name in ACTIONS:
            address = f"{FORMER}{ticket.pk}/{name}/"
            form = {"text": "可以换。", "priority": "3", "agent": wangfang.pk}
            assert desk.post(address, form, **AS_SCRIPT).status_code != 404, name
        assert Reply.objects.get(author=Author.AGENT).text == "可以换。"

    def test_a_page_that_is_still_open_goes_on_following(
        self, desk: Client, ticket: Ticket
    ) -> None:
        live = desk.get(f"{FORMER}{ticket.pk}/live/", {"digest": ""})
        assert "鞋子小了能换吗" in live.json()["pieces"]["thread"]
        as_a_script = {"headers": {"accept": "text/html"}}
        assert ticket.number in desk.get(FORMER, **as_a_script).content.decode()
        assert desk.post(f"{FORMER}here/", {"page": "0123456789abc"}).status_code == 204


class TestWhatWasWritten:
    """By a plain form, without the page's script."""

    def page_after(self, client: Client, ticket: Ticket, text: str) -> HttpResponse:
        return client.post(reverse("desk:reply", args=[ticket.pk]), {"text": text})

    def test_a_refused_reply_stands_in_the_box_again(self, ticket: Ticket) -> None:
        colleague = make_agent("赵敏")
        client = Client()
        client.force_login(colleague.user)
        client.post(reverse("desk:take", args=[ticket.pk]))
        client.force_login(ticket.assignee.user)
        answer = self.page_after(client, ticket, "我来 <看看>")
        assert answer.status_code == 409
        found = answer.content.decode()
        assert "赵敏 正在接待这位客户，接手后可以发送。" in found
        assert "我来 &lt;看看&gt;</textarea>" in found

    def test_one_for_a_resolved_ticket_can_still_be_copied(
        self, desk: Client, ticket: Ticket, liming: Agent
    ) -> None:
        resolve(ticket, liming)
        answer = self.page_after(desk, ticket, "还在吗")
        assert answer.status_code == 409
        assert "还在吗</textarea>" in answer.content.decode()
