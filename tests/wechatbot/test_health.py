from __future__ import annotations

import pytest
from django.test import Client

from common.redis import redis
from tests.knowledge.builders import absent_redis
from wechatbot import health
from wechatbot.health import HEARTBEATS

pytestmark = pytest.mark.django_db


def test_it_is_alive_whatever_is_missing(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}


def test_it_is_ready_when_database_redis_and_workers_answer(client: Client) -> None:
    for key in HEARTBEATS.values():
        redis().set(key, "1", ex=15)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "missing": []}


@pytest.mark.parametrize("missing", ["worker", "deliver"])
def test_it_names_the_worker_that_is_missing(client: Client, missing: str) -> None:
    for name, key in HEARTBEATS.items():
        if name != missing:
            redis().set(key, "1", ex=15)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["missing"] == [missing]


def test_it_knows_of_no_worker_while_redis_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "redis", absent_redis)

    assert client.get("/readyz").json()["missing"] == ["redis", "worker", "deliver"]
