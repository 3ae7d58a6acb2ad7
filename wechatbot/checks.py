"""Mistakes in the settings that belong to no single package, found at start. Each has a hint and an
id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from wechatbot.environment import split_url

DATABASE_SCHEMES = ("sqlite", "mysql")
SHORTEST_KEPT_DAYS = 3
# Before it no calendar begins.
LONGEST_KEPT_DAYS = 36_500
REDIS_SCHEMES = ("redis", "rediss", "unix")


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    return [*_values(), *_addresses(), *_limits()]


def _values() -> Iterator[CheckMessage]:
    for name, hint in settings.UNREADABLE.items():
        yield Error(f"{name} cannot be read.", hint=hint, id="wechatbot.E001")
    if not 0 < settings.PORT < 65536:
        yield Error(
            f"PORT is {settings.PORT}.",
            hint="Use 1 to 65535; the default is 8000.",
            id="wechatbot.E002",
        )


def _addresses() -> Iterator[CheckMessage]:
    url = split_url(settings.PUBLIC_URL)
    if url.scheme not in {"http", "https"} or not url.hostname:
        yield Error(
            f"PUBLIC_URL is {settings.PUBLIC_URL!r}.",
            hint="The whole address that others reach, such as https://shop.example.com.",
            id="wechatbot.E003",
        )
    # Passwords stand in these two: no message shows them.
    if settings.DATABASE_SCHEME not in DATABASE_SCHEMES:
        yield Error(
            "DATABASE_URL names no database that is supported.",
            hint=(
                "mysql://user:password@host/name for MySQL or MariaDB, or nothing for SQLite in "
                "DATA_DIR."
            ),
            id="wechatbot.E004",
        )
    if split_url(settings.REDIS_URL).scheme not in REDIS_SCHEMES:
        yield Error(
            "REDIS_URL is no address of a Redis.",
            hint="redis://host:6379/0, or nothing: then `serve` starts one of its own.",
            id="wechatbot.E005",
        )


def _limits() -> Iterator[CheckMessage]:
    for name in ("RATE_LIMIT_PER_MINUTE", "NEW_CUSTOMERS_PER_MINUTE", "SESSION_TTL_SECONDS"):
        if getattr(settings, name) < 1:
            yield Error(
                f"{name} is {getattr(settings, name)}.", hint="Use 1 or more.", id="wechatbot.E006"
            )
    for name in ("KEEP_RAW_DAYS", "KEEP_LOG_DAYS", "KEEP_ADMIN_LOG_DAYS", "KEEP_MESSAGE_DAYS"):
        days = getattr(settings, name)
        # WeChat takes a reply for 48 hours: until then its message is in use.
        if days != 0 and not SHORTEST_KEPT_DAYS <= days <= LONGEST_KEPT_DAYS:
            hint = f"Use {SHORTEST_KEPT_DAYS} to {LONGEST_KEPT_DAYS} days, or 0 to keep everything."
            yield Error(f"{name} is {days}.", hint=hint, id="wechatbot.E008")
    status = settings.RATE_LIMIT_STATUS
    if status != 200 and not 400 <= status < 600:
        yield Error(
            f"RATE_LIMIT_STATUS is {status}.",
            hint="Use 429, or 200 to answer a flood with `success`.",
            id="wechatbot.E007",
        )
