"""Shared by all tests. Fixtures of one package live in its own conftest."""

from __future__ import annotations

import os

import hypothesis
import pytest

from tests.environment import Surroundings

surroundings = Surroundings()
surroundings.enter()

# Only now: settings read the environment that was just made, and a package's conftest may import
# its models.
import django  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db.models.signals import post_migrate  # noqa: E402
from django.utils import translation  # noqa: E402

django.setup()


import common.redis  # noqa: E402
from common import fresh  # noqa: E402
from common.redis import redis, resume  # noqa: E402
from knowledge.models import SynonymRule  # noqa: E402
from knowledge.synonyms import SHIPPED  # noqa: E402
from tests.clock import Clock  # noqa: E402
from wechat import accounts, tokens  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    post_migrate.connect(bring_shipped_rules_back, sender=apps.get_app_config("knowledge"))
    # No test measures time: a busy machine takes seconds for what an idle one does at once.
    hypothesis.settings.register_profile(
        "untimed",
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("untimed")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def bring_shipped_rules_back(using: str, **kwargs: object) -> None:
    """A test with transactions of its own empties all tables at its end, those too that a migration
    filled.
    """
    rules = SynonymRule.objects.using(using)
    there = set(rules.values_list("words", flat=True))
    rules.bulk_create(SynonymRule(words=words) for words in SHIPPED if words not in there)


def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """A worker that inherits this name reads the settings before its own conftest: with our Redis,
    shared by all.
    """
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure(config: pytest.Config) -> None:
    surroundings.leave()


@pytest.fixture(autouse=True)
def _new_process() -> None:
    """Each test is a process that has read nothing yet."""
    redis().flushdb()
    resume()
    fresh.forget_all()
    tokens.forget()
    accounts.looker.forget()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """By which a process's copies grow old, and a pause of Redis ends."""
    clock = Clock()
    monkeypatch.setattr(fresh, "monotonic", clock)
    monkeypatch.setattr(common.redis, "monotonic", clock)
    return clock


@pytest.fixture(autouse=True)
def _own_language() -> None:
    """A page that one test read in English leaves its language to the thread."""
    translation.deactivate()
