"""How pushes were answered, as it is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.counting import counted
from tests.factories import AccountFactory
from tests.faqs import RETURNS
from tests.services.process import wait_until
from tests.webhook.wire import Wire
from tests.worlds.poster import Request, plain, sealed
from tests.worlds.pushes import event_xml, text_xml
from webhook.http import Response
from webhook.metrics import outcome_of
from wechat.models import OfficialAccount


def asked(account: OfficialAccount) -> Request:
    return sealed(account, text_xml(RETURNS[0]))


def looked_around(account: OfficialAccount) -> Request:
    return sealed(account, event_xml("VIEW"))


def forged(account: OfficialAccount) -> Request:
    return sealed(account, text_xml(), msg_signature="0" * 40)


def without_xml(account: OfficialAccount) -> Request:
    return replace(sealed(account, text_xml()), body=b"<xml><Encrypt/></xml>")


def to_nobody(account: OfficialAccount) -> Request:
    return replace(sealed(account, text_xml()), path="/wechat/nobody")


def greeted(account: OfficialAccount) -> Request:
    return replace(plain(account, b"", echostr="4375120948345356249"), method="GET")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (asked, "replied"),
        (looked_around, "acknowledged"),
        (forged, "refused"),
        (without_xml, "unreadable"),
        (to_nobody, "no_account"),
        (greeted, "handshake"),
    ],
)
def test_each_request_counts_once_by_what_it_was(
    wire: Wire, make: Callable[[OfficialAccount], Request], outcome: str
) -> None:
    account = AccountFactory()
    before = counted("callback_seconds_count", outcome=outcome)
    wire.send(make(account))
    assert counted("callback_seconds_count", outcome=outcome) == before + 1


def test_the_time_that_wechat_waited_is_counted_with_it(
    wire: Wire, passive: OfficialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire.door, "answer", lambda push: None)
    before = counted("callback_seconds_sum", outcome="left_open")
    delivery = wire.start(asked(passive))
    wait_until(lambda: len(wire.door.waiters) == 1)
    delivery.cut()
    assert delivery.answer() is None
    assert counted("callback_seconds_sum", outcome="left_open") > before


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (None, "left_open"),
        (Response(503), "not_stored"),
        (Response(429), "too_many"),
        (Response(405), "other"),
    ],
)
def test_what_got_no_answer_counts_too(response: Response | None, outcome: str) -> None:
    assert outcome_of("POST", response) == outcome
