from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

PASSWORD = "a long password for one test"
LogIn = Callable[..., Any]


@pytest.fixture
def liming(db: None) -> User:
    return User.objects.create_superuser("liming", password=PASSWORD)


@pytest.fixture
def log_in(liming: User) -> LogIn:
    def send(
        name: str = "liming",
        password: str = "wrong",
        *,
        address: str = "198.51.100.1",
        **headers: str,
    ) -> Any:
        """One try from a browser of its own."""
        given = {"username": name, "password": password}
        return Client(REMOTE_ADDR=address, headers=headers).post(reverse("admin:login"), given)

    return send


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long answers were put off, without waiting for them."""
    found: list[float] = []
    monkeypatch.setattr("wechatbot.login.form.time.sleep", found.append)
    return found
