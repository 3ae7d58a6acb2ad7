"""Tries to log in, each from a browser of its own."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

PASSWORD = "a long password for one test"


class LogIn:
    """One try from a browser of its own."""

    def __call__(
        self,
        name: str = "liming",
        password: str = "wrong",
        *,
        address: str = "198.51.100.1",
        **headers: str,
    ) -> Any:
        given = {"username": name, "password": password}
        browser = Client(REMOTE_ADDR=address, headers=headers)
        return browser.post(reverse("admin:login"), given)
