from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests.login.trying import PASSWORD, LogIn


@pytest.fixture
def liming(db: None) -> User:
    return User.objects.create_superuser("liming", password=PASSWORD)


@pytest.fixture
def log_in(liming: User) -> LogIn:
    return LogIn()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long answers were put off, without waiting for them."""
    found: list[float] = []
    monkeypatch.setattr("wechatbot.login.form.time.sleep", found.append)
    return found
