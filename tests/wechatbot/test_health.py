from __future__ import annotations

import pytest
from django.test import Client

from common.redis import redis
from wechatbot.health import WORKER_HEARTBEAT

pytestmark = pytest.mark.django_db


def test_it_is_alive_whatever_is_missing(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}


def test_it_is_ready_when_database_redis_and_worker_answer(client: Client) -> None:
    redis().set(WORKER_HEARTBEAT, "1", ex=15)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "missing": []}


def test_it_names_the_worker_that_is_missing(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["missing"] == ["worker"]
