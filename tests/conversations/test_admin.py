"""Conversations in the admin: all to read, nothing to write but a remark and the bot's words."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import BotText, Customer
from tests.factories import MessageFactory, ReplyFactory

pytestmark = pytest.mark.django_db

READ_ONLY = ["conversation", "message", "reply"]


@pytest.fixture(autouse=True)
def _one_exchange() -> None:
    message = MessageFactory(text="怎么退货呢")
    ReplyFactory(conversation=message.conversation, message=message, text="七天内可以退货哦")


@pytest.mark.parametrize("model", [*READ_ONLY, "customer", "bottext"])
def test_every_list_opens(admin_client: Client, model: str) -> None:
    assert admin_client.get(reverse(f"admin:conversations_{model}_changelist")).status_code == 200


def test_the_list_of_replies_shows_a_link_as_its_label(admin_client: Client) -> None:
    ReplyFactory(text='<a href="weixin://bizmsgmenu?msgmenucontent=1">1. 怎么退货</a>')
    html = admin_client.get(reverse("admin:conversations_reply_changelist")).content.decode()
    assert "1. 怎么退货" in html
    assert "bizmsgmenu" not in html


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_was_said_cannot_be_written_by_hand(admin_client: Client, model: str) -> None:
    assert admin_client.get(reverse(f"admin:conversations_{model}_add")).status_code == 403


def test_a_conversation_shows_what_was_said(admin_client: Client) -> None:
    page = admin_client.get(
        reverse("admin:conversations_conversation_change", args=[Customer.objects.get().conversation.pk])
    )
    html = page.content.decode()
    assert "怎么退货呢" in html
    assert "七天内可以退货哦" in html


@pytest.mark.parametrize("model", READ_ONLY)
def test_a_row_opens_without_fields_to_change(admin_client: Client, model: str) -> None:
    conversation = Customer.objects.get().conversation
    pk = {
        "conversation": conversation.pk,
        "message": conversation.messages.get().pk,
        "reply": conversation.replies.get().pk,
    }[model]
    page = admin_client.get(reverse(f"admin:conversations_{model}_change", args=[pk]))
    assert page.status_code == 200
    assert 'name="text"' not in page.content.decode()


@pytest.mark.parametrize("words", ["怎么退货", "oCustomer"])
def test_messages_are_found_by_their_words_and_their_sender(admin_client: Client, words: str) -> None:
    page = admin_client.get(reverse("admin:conversations_message_changelist"), {"q": words})
    assert "怎么退货呢" in page.content.decode()


def test_only_the_remark_of_a_customer_is_changed(admin_client: Client) -> None:
    customer = Customer.objects.get()
    url = reverse("admin:conversations_customer_change", args=[customer.pk])
    admin_client.post(url, {"remark": "王小姐", "openid": "oForged", "message_sends_left": 99})
    customer.refresh_from_db()
    assert (customer.remark, customer.message_sends_left) == ("王小姐", 0)
    assert customer.openid != "oForged"


def test_an_editors_words_are_said_at_once(admin_client: Client) -> None:
    account = Customer.objects.get().account
    admin_client.post(
        reverse("admin:conversations_bottext_add"), {"account": account.pk, "moment": "greeting", "text": "欢迎光临"}
    )
    assert BotText.objects.get().text == "欢迎光临"
