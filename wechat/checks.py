"""Mistakes in the account's settings, found at start. Each has a hint and an id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ValidationError

from wechat.client import WECHAT_HOST
from wechat.console import PUSHES
from wechat.models import ReplyMode, aes_key_format, token_format

LONGEST_HOLD = 4.5


@register
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [*_keys(), *_sealing(), *_reply_mode(), *_limits(), *_api_url()]


def _keys() -> Iterator[CheckMessage]:
    aes_key, token = settings.WECHAT_ENCODING_AES_KEY, settings.WECHAT_TOKEN
    if aes_key and not _is(aes_key_format, aes_key):
        yield Error(
            "WECHAT_ENCODING_AES_KEY is not 43 letters and digits.",
            hint=f"It has {len(aes_key)} characters. Copy EncodingAESKey once more from {PUSHES}.",
            id="wechat.E001",
        )
    if token and not _is(token_format, token):
        yield Error(
            "WECHAT_TOKEN is not 3 to 32 letters and digits.",
            hint=f"Use the same Token here and at {PUSHES}; no spaces, no punctuation.",
            id="wechat.E002",
        )
    if settings.WECHAT_APP_ID and not token:
        yield Error(
            "WECHAT_APP_ID is set, but WECHAT_TOKEN is not.",
            hint="Without the Token no push of WeChat can be told from a forged one.",
            id="wechat.E003",
        )
    if not settings.WECHAT_APP_ID and (token or aes_key or settings.WECHAT_APP_SECRET):
        yield CheckWarning(
            "WECHAT_APP_ID is not set: the other WECHAT_… keys are not used.",
            hint="Set WECHAT_APP_ID, or remove the others.",
            id="wechat.W001",
        )


def _sealing() -> Iterator[CheckMessage]:
    if (
        settings.WECHAT_ENCRYPTED_ONLY
        and settings.WECHAT_APP_ID
        and not settings.WECHAT_ENCODING_AES_KEY
    ):
        yield CheckWarning(
            "WECHAT_ENCRYPTED_ONLY is true, but WECHAT_ENCODING_AES_KEY is not set: plain pushes "
            "are taken.",
            hint=f"Without the key no push can be opened. Copy EncodingAESKey from {PUSHES}.",
            id="wechat.W002",
        )
    if settings.WECHAT_PREVIOUS_AES_KEY_HOURS < 0:
        yield Error(
            f"WECHAT_PREVIOUS_AES_KEY_HOURS is {settings.WECHAT_PREVIOUS_AES_KEY_HOURS}.",
            hint="Hours for which the EncodingAESKey before still opens pushes; the default is 24.",
            id="wechat.E009",
        )


def _reply_mode() -> Iterator[CheckMessage]:
    mode = settings.WECHAT_REPLY_MODE
    if mode not in ReplyMode.values:
        yield Error(
            f"WECHAT_REPLY_MODE is {mode!r}.",
            hint=f"Use one of {', '.join(ReplyMode.values)}; auto is right unless you know better.",
            id="wechat.E004",
        )
    if mode == ReplyMode.API and settings.WECHAT_APP_ID and not settings.WECHAT_APP_SECRET:
        yield Error(
            "WECHAT_REPLY_MODE is api, but WECHAT_APP_SECRET is not set.",
            hint=(
                "The customer-service API needs the AppSecret; an unverified account uses passive, "
                "or auto."
            ),
            id="wechat.E005",
        )


def _limits() -> Iterator[CheckMessage]:
    if not 0 <= settings.HOLD_SECONDS <= LONGEST_HOLD:
        yield Error(
            f"HOLD_SECONDS is {settings.HOLD_SECONDS}.",
            hint=f"WeChat cuts the connection after 5 s: use 0 to {LONGEST_HOLD}.",
            id="wechat.E006",
        )
    if settings.CALLBACK_MAX_AGE <= 0:
        yield Error(
            f"CALLBACK_MAX_AGE is {settings.CALLBACK_MAX_AGE}: every push would be too old.",
            hint=(
                "Seconds between WeChat's clock and ours that are still accepted; the default is "
                "3600."
            ),
            id="wechat.E007",
        )


def _api_url() -> Iterator[CheckMessage]:
    url = urlsplit(settings.WECHAT_API_URL)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
        yield Error(
            f"WECHAT_API_URL is {settings.WECHAT_API_URL!r}.",
            hint=f"Use a plain http or https address; WeChat's own is {WECHAT_HOST}.",
            id="wechat.E008",
        )


def _is(validator: Callable[[str], None], value: str) -> bool:
    try:
        validator(value)
    except ValidationError:
        return False
    return True
