"""The reply window: what WeChat lets us send, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.models import Customer
from conversations.turns.arriving import attach
from conversations.window import ledger
from tests.factories import ConversationFactory, CustomerFactory, MessageFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def fresh(customer: Customer) -> Customer:
    return Customer.objects.get(pk=customer.pk)


def spend(customer: Customer, times: int = 1) -> None:
    for _ in range(times):
        ledger.spend(customer, NOW)


@pytest.fixture
def customer() -> Customer:
    return CustomerFactory()


def test_it_allows_nothing_before_the_customer_wrote(customer: Customer) -> None:
    assert ledger.sends_left(customer, NOW) == 0


def test_it_allows_five_sends_in_48_hours_after_a_message(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    assert ledger.sends_left(fresh(customer), NOW + timedelta(hours=47, minutes=59)) == 5
    assert ledger.sends_left(fresh(customer), NOW + timedelta(hours=48)) == 0


def test_it_allows_three_sends_in_one_minute_after_a_click(customer: Customer) -> None:
    ledger.open_event_window(customer.pk, NOW)
    assert ledger.sends_left(fresh(customer), NOW + timedelta(seconds=59)) == 3
    assert ledger.sends_left(fresh(customer), NOW + timedelta(seconds=60)) == 0


@pytest.mark.parametrize("ahead", [-400, -40, 40, 400])
def test_the_minute_after_a_click_is_a_minute_whatever_wechats_clock_says(ahead: int) -> None:
    """Ours is ahead of it, or behind. A push may have come with its third delivery."""
    click = MessageFactory.build(
        account=None,
        conversation=None,
        openid="oTapped",
        kind="event.click",
        received_at=NOW,
        sent_at=NOW - timedelta(seconds=ahead),
    )
    until = ledger.opened_by(click).event_until
    assert until is not None
    assert timedelta(seconds=44) <= until - NOW <= timedelta(seconds=60)


def test_a_third_delivery_opens_its_window_when_the_customer_wrote() -> None:
    wrote_at = NOW - timedelta(seconds=10)
    message = MessageFactory.build(
        account=None, conversation=None, openid="oWrote", received_at=NOW, sent_at=wrote_at
    )
    assert ledger.opened_by(message).message_until == wrote_at + ledger.MESSAGE_WINDOW


def test_it_adds_up_windows_that_overlap(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    ledger.open_event_window(customer.pk, NOW)
    assert ledger.sends_left(fresh(customer), NOW) == 8


def test_it_spends_first_from_the_window_that_closes_first(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    ledger.open_event_window(customer.pk, NOW)
    spend(customer, 4)
    row = fresh(customer)
    assert (row.event_sends_left, row.message_sends_left) == (0, 4)


def test_it_does_not_spend_from_a_window_that_has_closed(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    ledger.open_event_window(customer.pk, NOW - timedelta(minutes=2))
    spend(customer)
    row = fresh(customer)
    assert (row.event_sends_left, row.message_sends_left) == (3, 4)


def test_it_never_counts_below_nothing(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    spend(customer, 7)
    assert fresh(customer).message_sends_left == 0


def test_it_counts_from_five_again_after_the_next_message(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW - timedelta(hours=1))
    spend(customer, 5)
    ledger.open_message_window(customer.pk, NOW)
    assert ledger.sends_left(fresh(customer), NOW) == 5


def test_it_lets_a_message_that_is_attached_late_take_nothing_back(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    spend(customer, 2)
    ledger.open_message_window(customer.pk, NOW - timedelta(minutes=1))
    assert ledger.sends_left(fresh(customer), NOW) == 3
    assert fresh(customer).message_window_until == NOW + timedelta(hours=48)


def test_it_gives_back_a_send_that_wechat_did_not_take(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    spend(customer, 2)
    ledger.refund(customer, NOW)
    assert ledger.sends_left(fresh(customer), NOW) == 4


def test_it_gives_back_no_more_than_a_window_holds(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    ledger.refund(customer, NOW)
    assert ledger.sends_left(fresh(customer), NOW) == 5


def test_it_takes_wechats_word_over_its_own_count(customer: Customer) -> None:
    ledger.open_message_window(customer.pk, NOW)
    ledger.open_event_window(customer.pk, NOW)
    ledger.close(customer)
    assert ledger.sends_left(fresh(customer), NOW) == 0


@pytest.mark.parametrize("kind", ["text", "image", "voice", "location", "link"])
def test_a_message_opens_the_long_window(kind: str) -> None:
    assert windows_after(kind) == (5, 0)


@pytest.mark.parametrize(
    "kind",
    [
        "event.subscribe",
        "event.scan",
        "event.click",
        "event.scancode_push",
        "event.scancode_waitmsg",
    ],
)
def test_a_click_a_follow_and_a_scan_open_the_short_window(kind: str) -> None:
    assert windows_after(kind) == (0, 3)


def test_a_tap_on_a_menu_item_opens_the_short_window_although_it_comes_as_text() -> None:
    assert windows_after("text", elements={"bizmsgmenuid": "wechatbot-look"}) == (0, 3)


def test_leaving_opens_no_window() -> None:
    assert windows_after("event.unsubscribe") == (0, 0)


def test_a_message_opens_its_window_once() -> None:
    conversation = ConversationFactory()
    message = MessageFactory(
        conversation=None, account=conversation.account, openid=conversation.customer.openid
    )
    attach([message.pk])
    ledger.spend(conversation.customer, NOW)
    attach([message.pk])
    assert fresh(conversation.customer).message_sends_left == 4


def windows_after(kind: str, **values: object) -> tuple[int, int]:
    conversation = ConversationFactory()
    message = MessageFactory(
        conversation=None,
        account=conversation.account,
        openid=conversation.customer.openid,
        kind=kind,
        **values,
    )
    attach([message.pk])
    row = fresh(conversation.customer)
    return row.message_sends_left, row.event_sends_left
