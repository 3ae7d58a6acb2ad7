"""Shared by all tests. Fixtures of one package live in its own conftest."""

from __future__ import annotations

import pytest

from tests.environment import Surroundings

surroundings = Surroundings()
surroundings.enter()

# Only now: settings read the environment that was just made.
from django.conf import settings  # noqa: E402

from common.redis import redis  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure(config: pytest.Config) -> None:
    surroundings.leave()


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    redis().flushdb()
