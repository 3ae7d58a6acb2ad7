"""The admin's front page: what needs somebody stands on it, and a login leads to it."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import ConversationFactory
from tickets.models import Reason, Status, Ticket
from wechatbot.front_page import matters

pytestmark = pytest.mark.django_db


def open_ticket(status: Status, waiting_since: datetime | None = None) -> None:
    conversation = ConversationFactory()
    Ticket.objects.create(
        number=f"T{conversation.pk}",
        reason=Reason.CUSTOMER_ASKED,
        customer=conversation.customer,
        conversation=conversation,
        open_for=conversation,
        status=status,
        waiting_since=waiting_since,
    )


def test_nothing_needs_anybody_in_a_new_installation() -> None:
    assert matters() == []


def test_a_ticket_that_nobody_took_needs_somebody() -> None:
    open_ticket(Status.ASSIGNED)
    assert [(matter.title, matter.count) for matter in matters()] == [("等待接手的工单", 1)]


def test_a_customer_who_waits_for_the_agents_next_word_needs_somebody() -> None:
    open_ticket(Status.ANSWERING, waiting_since=timezone.now())
    open_ticket(Status.ANSWERING)
    assert [(matter.title, matter.count) for matter in matters()] == [("客户在等客服回复的工单", 1)]


def test_the_login_page_opened_by_itself_leads_to_the_front_page(client: Client, admin_user: object) -> None:
    page = client.post(reverse("admin:login"), {"username": "admin", "password": "password"})
    assert (page.status_code, page["Location"]) == (302, reverse("admin:index"))
