"""Conversations in the admin: all to read, nothing to write but a remark and the bot's words."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from assistant.models import Source
from conversations.admin.words import ENDINGS, MESSAGE_COLOURS, REPLY_COLOURS, SOURCES
from conversations.models import BotText, Customer, Ending, MessageState, ReplyState
from conversations.saying import registered
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory
from wechat.kinds import label_of

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
        reverse(
            "admin:conversations_conversation_change", args=[Customer.objects.get().conversation.pk]
        )
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
def test_messages_are_found_by_their_words_and_their_sender(
    admin_client: Client, words: str
) -> None:
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
        reverse("admin:conversations_bottext_add"),
        {"account": account.pk, "moment": "greeting", "text": "欢迎光临"},
    )
    assert BotText.objects.get().text == "欢迎光临"


@pytest.mark.parametrize(("moment", "needed"), [("thinking", "{link}"), ("menu", "{choices}")])
def test_words_that_leave_the_customer_nothing_to_tap_are_refused(
    admin_client: Client, moment: str, needed: str
) -> None:
    url = reverse("admin:conversations_bottext_add")
    words = {"account": Customer.objects.get().account.pk, "moment": moment, "text": "请稍等。"}
    page = admin_client.post(url, words)
    assert f"请保留占位符：{needed}" in page.content.decode()
    admin_client.post(url, {**words, "text": f"请稍等，{needed}"})
    assert BotText.objects.get().text == f"请稍等，{needed}"


def test_the_welcome_needs_no_questions(admin_client: Client) -> None:
    words = {"account": Customer.objects.get().account.pk, "moment": "follow", "text": "欢迎。"}
    admin_client.post(reverse("admin:conversations_bottext_add"), words)
    assert BotText.objects.get().text == "欢迎。"


def test_a_kind_without_words_is_told_by_its_code() -> None:
    with translation.override("zh-hans"):
        assert label_of("event.of_tomorrow") == "其他推送（event.of_tomorrow）"


def test_sources_have_the_words_of_the_assistant() -> None:
    assert {code: str(words) for code, words in SOURCES.items()} == {
        code: str(label) for code, label in Source.choices
    }


def test_every_state_has_a_colour_and_every_ending_words() -> None:
    """The theme shows the bare code of a state that it has no colour for."""
    assert set(MESSAGE_COLOURS) == set(MessageState.values)
    assert set(REPLY_COLOURS) == set(ReplyState.values)
    assert set(ENDINGS) == set(Ending.values)


def shown(client: Client, page: str, *args: object, **query: str) -> str:
    """The words on a page, without the codes in its links and scripts."""
    response = client.get(reverse(f"admin:conversations_{page}", args=args), query)
    assert response.status_code == 200
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_messages_are_told_in_words_in_the_list_and_its_filters(admin_client: Client) -> None:
    MessageFactory(kind="event.subscribe", state=MessageState.IGNORED)
    words = shown(admin_client, "message_changelist")
    for found in ("[关注]", "文字", "无需回答", "小程序卡片", "需要回答的", "所有事件"):
        assert found in words
    assert not re.search(r"\b(text|event\.\w+|ignored|received)\b", words)


def test_a_message_is_told_in_words_on_its_page(admin_client: Client) -> None:
    message = MessageFactory(kind="event.click", text="", ended_with=Ending.SUCCESS)
    ReplyFactory(conversation=message.conversation, message=message, source="smalltalk")
    words = shown(admin_client, "message_change", message.pk)
    for found in ("点击菜单", "只确认收到", "已收到"):
        assert found in words
    assert not re.search(r"\b(event\.\w+|success|received|smalltalk)\b", words)


def test_replies_are_told_in_words_in_the_list_its_filters_and_on_the_page(
    admin_client: Client,
) -> None:
    message = MessageFactory(kind="event.subscribe")
    reply = ReplyFactory(
        conversation=message.conversation,
        message=message,
        source="smalltalk",
        state=ReplyState.WITHDRAWN,
    )
    for words in (
        shown(admin_client, "reply_changelist"),
        shown(admin_client, "reply_change", reply.pk),
    ):
        for found in ("寒暄", "已撤回", "机器人"):
            assert found in words
        assert not re.search(r"\b(smalltalk|faq|withdrawn|event\.\w+)\b", words)
    assert "候选问题" in shown(admin_client, "reply_changelist")
    assert "关注" in shown(admin_client, "reply_change", reply.pk)


def test_a_conversation_tells_its_messages_in_words(admin_client: Client) -> None:
    conversation = ConversationFactory()
    MessageFactory(conversation=conversation, kind="event.subscribe")
    words = shown(admin_client, "conversation_change", conversation.pk)
    assert "关注" in words
    assert "event.subscribe" not in words


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"kind": "event"}, 2),
        ({"kind": "event.click"}, 1),
        ({"kind": "text"}, 1),
        ({"state": "to_answer"}, 2),
    ],
)
def test_messages_are_filtered_by_what_they_are(
    admin_client: Client, filters: dict[str, str], count: int
) -> None:
    MessageFactory(kind="event.click", text="", state=MessageState.ANSWERED)
    MessageFactory(kind="event.view", state=MessageState.IGNORED)
    page = admin_client.get(reverse("admin:conversations_message_changelist"), filters)
    assert page.context["cl"].result_count == count


def test_a_bots_text_is_named_by_its_moment(admin_client: Client) -> None:
    text = BotText.objects.create(
        account=Customer.objects.get().account, moment="greeting", text="欢迎光临"
    )
    assert "greeting" not in shown(admin_client, "bottext_changelist")
    assert str(text) == "问候"


def test_a_time_in_a_list_is_relative_and_exact_on_hover(admin_client: Client) -> None:
    html = admin_client.get(reverse("admin:conversations_message_changelist")).content.decode()
    assert re.search(
        r'<time class="whole" datetime="[^"]+\+08:00" title="\d{4}-\d\d-\d\d [\d:]{8}">刚刚</time>',
        html,
    )


def test_the_page_of_new_words_brings_the_default_of_each_moment(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:conversations_bottext_add")).content.decode()
    brought = re.search(r'data-defaults="([^"]*)"', page)
    assert brought is not None
    defaults = json.loads(unescape(brought.group(1)))
    assert defaults.keys() == registered().keys()
    assert "{link}" in defaults["thinking"]
