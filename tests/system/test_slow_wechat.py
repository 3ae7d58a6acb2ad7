"""WeChat's API takes seconds for each text, and hundreds wait."""

from __future__ import annotations

import pytest

from tests.system.shop import Shop

pytestmark = pytest.mark.system

WAITING = 600
# Past our time limit for one call.
SECONDS_EACH = 6.0
MANY_TEXTS = f"""
from datetime import timedelta
from django.utils import timezone
from conversations.models import Author, Conversation, Customer, Reply
from conversations.replies.queueing import queue_delivery
from wechat.models import OfficialAccount
account, until = OfficialAccount.objects.get(is_default=True), timezone.now() + timedelta(hours=40)
for number in range({WAITING}):
    customer = Customer.objects.create(
        account=account, openid=f"oWaits{{number}}", message_sends_left=5,
        message_window_until=until)
    conversation = Conversation.objects.create(customer=customer, account=account)
    Reply.objects.create(conversation=conversation, author=Author.AGENT, text="请稍等")
    queue_delivery(conversation.pk)
"""


def test_what_waits_for_a_slow_wechat_is_not_queued_again_by_every_sweep(shop: Shop) -> None:
    phone = shop.phone("verified", "oForgotten")
    shop.take_token()
    shop.wechat.latency = SECONDS_EACH
    shop.shell(MANY_TEXTS)
    shop.wait_until(lambda: shop.wechat.sent, 60, "WeChat is asked")

    for _ in range(3):
        shop.wait_for_sweep(phone)

    # The sweeps went on meanwhile, and most texts still wait.
    sent = [sent.openid for sent in shop.wechat.sent if sent.openid != phone.openid]
    assert len(sent) == len(set(sent)) < WAITING
    assert shop.redis.client.llen("deliver") < WAITING
