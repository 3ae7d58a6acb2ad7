"""Reads the environment. A value that cannot be read is noted for the system checks; its default
stands meanwhile.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from common.networks import Network, read_networks


class Environment(environ.Env):
    def __init__(self) -> None:
        super().__init__()
        # Name and hint. The values are not kept: one of them may hold a password.
        self.unreadable: dict[str, str] = {}

    def int(self, var: str, default: Any = environ.Env.NOTSET) -> Any:
        return self._number(var, int, default)

    def float(self, var: str, default: Any = environ.Env.NOTSET) -> Any:
        """Stricter than the library's, which drops whatever is no digit."""
        return self._number(var, float, default)

    def _number(self, var: str, cast: type, default: Any) -> Any:
        text = self.str(var, default=str(default))
        try:
            return cast(text)
        except ValueError:
            self.unreadable[var] = f"A number is wanted, without a unit; the default is {default}."
            return default

    def networks(self, var: str, default: list[str]) -> list[Network]:
        """Addresses and networks, separated by commas."""
        try:
            return read_networks(self.list(var, default=default))
        except ValueError:
            self.unreadable[var] = (
                f"Such as 10.0.0.5, 172.16.0.0/12; the default is {', '.join(default)}."
            )
            return read_networks(default)

    def mail(self, var: str, default: str) -> Any:
        """Django's settings for mail."""
        try:
            return self.email_url(var, default=default)
        except ImproperlyConfigured:
            self.unreadable[var] = (
                f"Such as smtp+tls://user:password@host:587; the default is {default}."
            )
            return self.email_url_config(default)


def split_url(url: str) -> SplitResult:
    """An address that cannot be read has no parts; the system checks say so."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
