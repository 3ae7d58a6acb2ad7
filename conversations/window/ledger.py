"""The reply window: how many messages WeChat lets us send to a customer, and until when.

5 sends in 48 h after each message; 3 in 1 min after a menu click, a follow, a scan or a tap on a
msgmenu item; none after the customer unfollows. What WeChat says (45015, 45047) is truer than our
count and corrects it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import F

from conversations.models import Author, Customer, Message
from conversations.sql import CUSTOMER, run, to_database
from wechat.traits import Opens

SENDS_PER_MESSAGE = 5
MESSAGE_WINDOW = timedelta(hours=48)
SENDS_PER_EVENT = 3
EVENT_WINDOW = timedelta(minutes=1)
# WeChat's third delivery comes ten seconds after the first, and none after it.
OLDEST_DELIVERY = timedelta(seconds=16)
# The bot leaves the last send of a window for a person.
KEPT_FOR_A_PERSON = 1
# WeChat keeps no order of messages that come faster.
PAUSE_SECONDS = 0.5
# A send that took longer has lost its process; nobody knows what became of it.
SENDING_LEASE = timedelta(seconds=30)


# The columns of Customer that hold the two windows, and whether there can be any; no other module
# writes them.
COLUMNS = (
    "message_sends_left",
    "message_window_until",
    "event_sends_left",
    "event_window_until",
    "subscribed",
)


class Window(NamedTuple):
    """What a message opens: sends, and until when. Values of `COLUMNS`, in their order.

    A customer who unfollows opens a window without sends: a message that is attached late does not
    open an older one.
    """

    message_sends: int = 0
    message_until: datetime | None = None
    event_sends: int = 0
    event_until: datetime | None = None
    follows: bool = True


def opened_by(message: Message) -> Window:
    """The window that a push opens; most events open none."""
    opens = message.push.opens
    if opens is Opens.MESSAGE_WINDOW:
        return _message_window(_written_at(message))
    if opens is Opens.EVENT_WINDOW:
        return _event_window(_written_at(message))
    if opens is Opens.NO_WINDOW_ANY_MORE:
        until = _written_at(message) + MESSAGE_WINDOW
        return Window(message_until=until, follows=False)
    return Window()


def _written_at(message: Message) -> datetime:
    """When the customer wrote, by the clock that windows are compared on. WeChat's own clock may
    differ from it; but no push is made after it came, nor long before.
    """
    earliest = message.received_at - OLDEST_DELIVERY
    return min(max(message.sent_at, earliest), message.received_at)


def open_window(customer_id: int, window: Window) -> None:
    """A push that is attached late does not close the window of a newer one, nor does it say any
    more whether the customer follows.
    """
    if not window.follows:
        _leave(customer_id, window)
    elif window.message_until is not None:
        until = to_database(window.message_until)
        run(_OPEN_MESSAGE_WINDOW, window.message_sends, until, customer_id, until)
    if window.event_until is not None:
        until = to_database(window.event_until - EVENT_WINDOW + MESSAGE_WINDOW)
        run(
            _OPEN_EVENT_WINDOW,
            *(window.event_sends, to_database(window.event_until), until, customer_id),
        )


def _leave(customer_id: int, window: Window) -> None:
    """A follow or a click that is newer opens the window of events alone."""
    assert window.message_until is not None
    until = to_database(window.message_until)
    event_until = to_database(window.message_until - MESSAGE_WINDOW + EVENT_WINDOW)
    run(_LEAVE, until, customer_id, until, event_until)


# `subscribed` goes by the newest push that tells it.
_IS_NEWEST = "(message_window_until IS NULL OR message_window_until <= %s)"
_OPEN_MESSAGE_WINDOW = (
    f"UPDATE {CUSTOMER} SET message_sends_left = %s, message_window_until = %s, subscribed = TRUE"
    f" WHERE id = %s AND {_IS_NEWEST}"
)
_OPEN_EVENT_WINDOW = (
    f"UPDATE {CUSTOMER} SET event_sends_left = %s, event_window_until = %s,"
    f" subscribed = CASE WHEN {_IS_NEWEST} THEN TRUE ELSE subscribed END WHERE id = %s"
)
_LEAVE = (
    f"UPDATE {CUSTOMER} SET message_sends_left = 0, message_window_until = %s,"
    " event_sends_left = 0, subscribed = FALSE"
    f" WHERE id = %s AND {_IS_NEWEST}"
    " AND (event_window_until IS NULL OR event_window_until <= %s)"
)


def open_message_window(customer_id: int, sent_at: datetime) -> None:
    open_window(customer_id, _message_window(sent_at))


def open_event_window(customer_id: int, sent_at: datetime) -> None:
    open_window(customer_id, _event_window(sent_at))


def _message_window(sent_at: datetime) -> Window:
    return Window(message_sends=SENDS_PER_MESSAGE, message_until=sent_at + MESSAGE_WINDOW)


def _event_window(sent_at: datetime) -> Window:
    return Window(event_sends=SENDS_PER_EVENT, event_until=sent_at + EVENT_WINDOW)


class OpenWindow(NamedTuple):
    sends_left: int
    time_left: timedelta


def open_windows(customer: Customer, now: datetime) -> tuple[OpenWindow | None, OpenWindow | None]:
    """The one of 48 hours after a message, and the one of a minute after a follow, a menu click or
    a tap. None: it is closed or used up.
    """
    return (
        _open(customer.message_sends_left, customer.message_window_until, now),
        _open(customer.event_sends_left, customer.event_window_until, now),
    )


def sends_left(customer: Customer, now: datetime) -> int:
    """How many API sends the open windows still allow."""
    return sum(window.sends_left for window in open_windows(customer, now) if window is not None)


def _open(left: int, until: datetime | None, now: datetime) -> OpenWindow | None:
    return OpenWindow(left, until - now) if left and until and until > now else None


def spend(customer: Customer, now: datetime) -> None:
    """Count one send, from the window that closes first."""
    if not _spend_event_send(customer.pk, now):
        _spend_message_send(customer.pk)


def _spend_event_send(customer_id: int, now: datetime) -> bool:
    sql = (
        f"UPDATE {CUSTOMER} SET event_sends_left = event_sends_left - 1"
        " WHERE id = %s AND event_sends_left > 0 AND event_window_until > %s"
    )
    return run(sql, customer_id, to_database(now)) == 1


def _spend_message_send(customer_id: int) -> bool:
    sql = (
        f"UPDATE {CUSTOMER} SET message_sends_left = message_sends_left - 1 WHERE id = %s AND "
        "message_sends_left > 0"
    )
    return run(sql, customer_id) == 1


def reserve_send(customer_id: int, author: Author, now: datetime) -> bool:
    """Take one send off the message window, unless that is the one which the bot leaves for a
    person, or a window is open that closes sooner.
    """
    keep = KEPT_FOR_A_PERSON if author == Author.BOT else 0
    sql = (
        f"UPDATE {CUSTOMER} SET message_sends_left = message_sends_left - 1"
        " WHERE id = %s AND subscribed AND message_sends_left > %s AND message_window_until > %s"
        " AND (event_sends_left = 0 OR event_window_until IS NULL OR event_window_until <= %s)"
    )
    moment = to_database(now)
    return run(sql, customer_id, keep, moment, moment) == 1


def refund(customer: Customer, now: datetime) -> None:
    """WeChat did not take the text: the send that was counted before it is given back."""
    rows = Customer.objects.filter(pk=customer.pk, subscribed=True)
    if not rows.filter(event_sends_left__lt=SENDS_PER_EVENT, event_window_until__gt=now).update(
        event_sends_left=F("event_sends_left") + 1
    ):
        rows.filter(message_sends_left__lt=SENDS_PER_MESSAGE).update(
            message_sends_left=F("message_sends_left") + 1
        )


def note_left(customer_id: int) -> None:
    """WeChat says so, in answer to a text: its push may have been lost."""
    Customer.objects.filter(pk=customer_id).update(subscribed=False)


def close(customer: Customer) -> None:
    """WeChat refused: nothing may be sent before the customer's next message."""
    Customer.objects.filter(pk=customer.pk).update(message_sends_left=0, event_sends_left=0)
