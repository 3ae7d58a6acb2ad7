"""A row gives back the push that was stored in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from conversations.models import Customer, Message
from conversations.turns.arriving import attach
from conversations.window.ledger import EVENT_WINDOW, SENDS_PER_EVENT
from tests.factories import AccountFactory, ConversationFactory, MessageFactory
from tests.samples import NAMES, sample
from wechat.events import Event, MenuViewed
from wechat.incoming import Incoming, IncomingText, Unsupported

pytestmark = pytest.mark.django_db


def stored(push: Incoming) -> Message:
    """The row, read again from the database."""
    row = Message.objects.create(
        account=AccountFactory(),
        openid=push.openid,
        dedup_key=push.dedup_key,
        kind=push.kind,
        text=push.question,
        fields=push.stored_fields(),
        raw=getattr(push, "raw", ""),
        sent_at=datetime.fromtimestamp(push.created, UTC),
        received_at=datetime.now(UTC),
    )
    return Message.objects.get(pk=row.pk)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_the_parser_understood(name: str) -> None:
    push = sample(name)
    assert stored(push).push == replace(push, to="")


class TestARowOfAnOlderVersion:
    """It kept the id of a tapped option and the id of a custom menu under one name."""

    def of_old(self, kind: str, fields: dict[str, str]) -> Message:
        row = MessageFactory(kind=kind)
        Message.objects.filter(pk=row.pk).update(fields=fields)
        return Message.objects.get(pk=row.pk)

    def test_a_tap_is_still_a_tap(self) -> None:
        push = self.of_old("text", {"menu_id": "wechatbot-look"}).push
        assert isinstance(push, IncomingText)
        assert push.option_id == push.tapped == "wechatbot-look"

    def test_a_menu_is_still_a_menu(self) -> None:
        push = self.of_old("event.view", {"event_key": "https://a.cn", "menu_id": "42"}).push
        assert isinstance(push, MenuViewed)
        assert (push.menu_id, push.url, push.tapped) == ("42", "https://a.cn", "")

    def test_a_tap_still_opens_the_short_window(self) -> None:
        conversation = ConversationFactory()
        row = self.of_old("text", {"menu_id": "wechatbot-look"})
        Message.objects.filter(pk=row.pk).update(
            account=conversation.account,
            openid=conversation.customer.openid,
            conversation=None,
        )
        attach([row.pk])
        customer = Customer.objects.get(pk=conversation.customer_id)
        assert (customer.message_sends_left, customer.event_sends_left) == (0, SENDS_PER_EVENT)
        assert customer.event_window_until == row.sent_at + EVENT_WINDOW

    def test_a_field_that_no_kind_has_any_more_is_passed_over(self) -> None:
        push = self.of_old("image", {"url": "http://a.cn/1", "pic_size": "9"}).push
        assert (push.kind, push.stored_fields()) == ("image", {"url": "http://a.cn/1"})


@pytest.mark.parametrize(
    ("code", "kind"), [("event.of_tomorrow", Event), ("message_of_tomorrow", Unsupported)]
)
def test_a_row_of_a_newer_version_is_no_error(code: str, kind: type[Incoming]) -> None:
    row = MessageFactory()
    Message.objects.filter(pk=row.pk).update(kind=code, fields={"of": "tomorrow"})
    push = Message.objects.get(pk=row.pk).push
    assert type(push) is kind
    assert push.openid == row.openid
