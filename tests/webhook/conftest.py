from __future__ import annotations

import pytest

from assistant import screening
from conversations import delivery, texts
from knowledge.models import FAQ
from llm import gateway
from tests.fakes import FakeWeChat
from tests.tickets.conftest import make_agent
from tickets.models import Agent
from webhook import throttle

RETURNS = ("怎么申请退货", "签收后 7 天内可以在订单页申请退货。")
HOURS = ("客服几点上班", "每天 9:00 到 21:00。")


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process that has read nothing yet."""
    screening.forget()
    texts.forget_own_words()
    monkeypatch.setattr(throttle, "_left_alone_until", float("-inf"))


@pytest.fixture
def shop(db: None) -> None:
    """A small knowledge base, big enough for words to have weight."""
    others = ["会员积分如何兑换", "可以货到付款吗", "门店地址在哪里", "忘记密码如何处理", "发票怎么开", "多久可以发货"]
    for question, text in [RETURNS, HOURS, *((other, f"{other}：请看帮助页。") for other in others)]:
        FAQ.objects.create(question=question, answer=text)


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("李明")


@pytest.fixture
def model_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "is_configured", lambda: True)


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> FakeWeChat:
    """WeChat's API, and no pause between two texts."""
    fake = FakeWeChat()
    monkeypatch.setattr(delivery, "api_of", fake)
    monkeypatch.setattr(delivery, "PAUSE_SECONDS", 0)
    return fake
