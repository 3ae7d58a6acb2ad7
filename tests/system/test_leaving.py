"""A customer unfollows while their answer is on its way."""

from __future__ import annotations

import pytest

from tests.at_once import at_once
from tests.system.shop import Phone, Shop

pytestmark = pytest.mark.system

QUESTION = "给我讲讲你们的历史"
# In three parts.
LONG = "".join(f"第{number:02d}句：{'很长的一句话' * 12}。" for number in range(20))


def unfollow(phone: Phone) -> None:
    assert phone.push(phone.side.event(phone.openid, "unsubscribe")).acknowledged


def wait_for_withdrawal(shop: Shop, phone: Phone, count: int) -> None:
    def withdrawn() -> int:
        return [reply.state for reply in phone.replies].count("withdrawn")

    shop.wait_until(lambda: withdrawn() == count, 60, f"{count} texts are withdrawn")


def test_an_answer_that_the_model_was_thinking_of_is_not_sent(shop: Shop) -> None:
    shop.model.behave("when told")
    phone = shop.phone("verified", "oThinking")
    assert phone.say(QUESTION).acknowledged
    unfollow(phone)
    shop.model.manner.may_speak.set()

    wait_for_withdrawal(shop, phone, 1)
    assert shop.wechat.tried == []


def test_the_rest_of_a_half_sent_answer_is_not_sent(shop: Shop) -> None:
    """WeChat takes its time for the first part; the customer leaves meanwhile."""
    shop.model.manner.answer = LONG
    shop.model.behave("when told")
    phone = shop.phone("verified", "oHalfSent")
    assert phone.say(QUESTION).acknowledged
    shop.wechat.latency = 4.0
    shop.model.manner.may_speak.set()
    shop.wait_until(lambda: shop.wechat.tried, 60, "the first part is on its way")
    unfollow(phone)

    wait_for_withdrawal(shop, phone, 2)
    assert len(shop.wechat.tried) == 1


def test_a_request_that_waits_is_let_go_with_nothing(shop: Shop) -> None:
    shop.model.behave("when told")
    phone = shop.phone("unverified", "oWaits")

    def leave() -> None:
        shop.wait_until(lambda: shop.model.calls == 1, 60, "the model is asked")
        unfollow(phone)

    at_once(lambda: phone.say(QUESTION), leave)
    shop.model.manner.may_speak.set()

    wait_for_withdrawal(shop, phone, 1)
    assert phone.read == []
