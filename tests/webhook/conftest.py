from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from common import log_rows
from conversations.replies import by_api, wakes
from knowledge.models import FAQ
from llm import gateway
from tests.factories import AccountFactory, make_agent
from tests.faqs import HOURS, RETURNS
from tests.services.process import wait_until
from tests.webhook.customer import Customer
from tests.webhook.wire import Wire
from tests.worlds.api_stub import ApiStub
from tickets.models import Agent
from webhook import callback, group_commit, opening, refusals, waiting, wechat_clock
from wechat.models import OfficialAccount, ReplyMode


@pytest.fixture(autouse=True)
def _nothing_refused() -> None:
    refusals.forget()
    wechat_clock.forget()


@pytest.fixture
def shop(db: None) -> None:
    """A small knowledge base, big enough for words to have weight."""
    others = [
        "会员积分如何兑换",
        "可以货到付款吗",
        "门店地址在哪里",
        "忘记密码如何处理",
        "发票怎么开",
        "多久可以发货",
    ]
    for question, text in [
        RETURNS,
        HOURS,
        *((other, f"{other}：请看帮助页。") for other in others),
    ]:
        FAQ.objects.create(question=question, answer=text)


@pytest.fixture
def agent(db: None) -> Agent:
    return make_agent("李明")


@pytest.fixture
def model_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "is_configured", lambda: True)


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> ApiStub:
    """WeChat's API, and no pause between two texts."""
    fake = ApiStub()
    monkeypatch.setattr(by_api, "api_of", fake)
    monkeypatch.setattr(by_api, "PAUSE_SECONDS", 0)
    return fake


@pytest.fixture(scope="session")
def _process() -> Iterator[Wire]:
    """One web process for the session: its threads cannot be ended. Its log rows would come after
    their tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_rows, "start", lambda: None)
        patch.setattr(waiting, "LOOK_SECONDS", 0.05)
        wire = Wire()
        yield wire
        wire.close()


@pytest.fixture
def _running(_process: Wire, settings: Settings) -> Iterator[Wire]:
    settings.HOLD_SECONDS = opening.LAST_FETCH_SECONDS
    wakes.listen_here(_process.door.waiters)
    yield _process
    wakes.listen_here(None)
    wait_until(_process.is_idle, what="all requests and answers are done")


@pytest.fixture
def short_times(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """For tests in which a time runs out: a second stands for the five that WeChat waits."""
    for name, seconds in {
        "LAST_FETCH_SECONDS": 0.9,
        "LAST_FETCH_GRACE_SECONDS": 0.5,
        "STORE_SECONDS": 0.8,
        "GIVE_UP_SECONDS": 1.5,
    }.items():
        monkeypatch.setattr(callback, name, seconds)
    monkeypatch.setattr(opening, "LAST_FETCH_SECONDS", 0.9)
    monkeypatch.setattr(group_commit, "RETRY_PAUSE", 0.02)
    settings.HOLD_SECONDS = 0.4


@pytest.fixture
def wire(transactional_db: None, _running: Wire) -> Wire:
    """The callback, whose threads read and write the rows."""
    return _running


@pytest.fixture
def gate(db: None, _running: Wire) -> Wire:
    """The callback up to where a push is stored: what is refused never gets to the database."""
    return _running


@pytest.fixture
def api(wire: Wire) -> OfficialAccount:
    return AccountFactory()


@pytest.fixture
def passive(wire: Wire) -> OfficialAccount:
    return AccountFactory(reply_mode=ReplyMode.PASSIVE)


@pytest.fixture
def write(wire: Wire, api: OfficialAccount) -> Customer:
    return Customer(wire, api)


@pytest.fixture
def ask(wire: Wire, passive: OfficialAccount) -> Customer:
    return Customer(wire, passive)
