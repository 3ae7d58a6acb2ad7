from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from simulator import actions, background
from simulator.models import Follower, SimulatedAccount
from simulator.pushes import Push
from tests.simulator.fake_callback import FakeCallback
from wechat import accounts
from wechat.models import OfficialAccount


@pytest.fixture
def client() -> Client:
    """A browser on the machine of the product."""
    return Client(headers={"host": "localhost:8000"})


@pytest.fixture
def callback(settings: Any) -> Iterator[FakeCallback]:
    """A server in place of ours."""
    fake = FakeCallback()
    settings.PORT = fake.port
    yield fake
    fake.close()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """How long WeChat waits, in place of 5 s. Short only where no answer is meant to be in time."""
    return lambda seconds: monkeypatch.setattr("simulator.delivery.PATIENCE_SECONDS", seconds)


@pytest.fixture
def follower(db: None) -> Follower:
    return Follower.objects.create(
        openid="oFollower0000000000000000001", name="林小满", following=True
    )


@pytest.fixture
def account(db: None) -> SimulatedAccount:
    return SimulatedAccount.current()


@pytest.fixture
def our_account(db: None) -> OfficialAccount:
    ours = accounts.ensure_from_environment()
    assert ours is not None
    return ours


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[Push]:
    """What would be pushed, without pushing it."""
    found: list[Push] = []
    monkeypatch.setattr(background, "run", lambda job, push: found.append(push))
    assert actions.background is background
    return found


@pytest.fixture
def post(client: Client) -> Callable[..., Any]:
    def send(path: str, given: object) -> Any:
        return client.post(f"/simulator/{path}", json.dumps(given), content_type="application/json")

    return send
