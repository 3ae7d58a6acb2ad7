from __future__ import annotations

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from wechat.checks import check_settings


@pytest.fixture
def sound(settings: Settings) -> Settings:
    settings.WECHAT_APP_ID = "wx1234567890abcdef"
    settings.WECHAT_APP_SECRET = "secret"
    settings.WECHAT_TOKEN = "tokenTOKEN123"
    settings.WECHAT_ENCODING_AES_KEY = "a" * 43
    settings.WECHAT_REPLY_MODE = "auto"
    settings.WECHAT_API_URL = "https://api.weixin.qq.com"
    settings.HOLD_SECONDS = 2.0
    settings.CALLBACK_MAX_AGE = 3600
    return settings


def ids() -> list[str | None]:
    return [message.id for message in check_settings(None)]


def test_sound_settings_pass(sound: Settings) -> None:
    assert ids() == []


def test_the_settings_of_this_installation_pass() -> None:
    assert ids() == []


@pytest.mark.parametrize(
    "values", [{"WECHAT_ENCODING_AES_KEY": ""}, {"WECHAT_APP_SECRET": ""}, {"HOLD_SECONDS": 0}]
)
def test_what_may_be_left_out_passes(sound: Settings, values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(sound, name, value)
    assert ids() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"WECHAT_ENCODING_AES_KEY": "a" * 42}, "wechat.E001"),
        ({"WECHAT_ENCODING_AES_KEY": "a" * 44}, "wechat.E001"),
        ({"WECHAT_ENCODING_AES_KEY": "a" * 42 + "="}, "wechat.E001"),
        ({"WECHAT_ENCODING_AES_KEY": "a" * 43 + "\n"}, "wechat.E001"),
        ({"WECHAT_TOKEN": "ab"}, "wechat.E002"),
        ({"WECHAT_TOKEN": "a" * 33}, "wechat.E002"),
        ({"WECHAT_TOKEN": "with space"}, "wechat.E002"),
        ({"WECHAT_TOKEN": ""}, "wechat.E003"),
        ({"WECHAT_APP_ID": ""}, "wechat.W001"),
        ({"WECHAT_ENCODING_AES_KEY": "", "WECHAT_ENCRYPTED_ONLY": True}, "wechat.W002"),
        ({"WECHAT_PREVIOUS_AES_KEY_HOURS": -1}, "wechat.E009"),
        ({"WECHAT_REPLY_MODE": "fast"}, "wechat.E004"),
        ({"WECHAT_REPLY_MODE": "api", "WECHAT_APP_SECRET": ""}, "wechat.E005"),
        ({"HOLD_SECONDS": -0.1}, "wechat.E006"),
        ({"HOLD_SECONDS": 4.6}, "wechat.E006"),
        ({"HOLD_SECONDS": float("nan")}, "wechat.E006"),
        ({"CALLBACK_MAX_AGE": 0}, "wechat.E007"),
        ({"WECHAT_API_URL": "api.weixin.qq.com"}, "wechat.E008"),
        ({"WECHAT_API_URL": "ftp://api.weixin.qq.com"}, "wechat.E008"),
        ({"WECHAT_API_URL": "https://"}, "wechat.E008"),
    ],
)
def test_a_mistake_has_its_id_and_a_hint(
    sound: Settings, values: dict[str, object], expected: str
) -> None:
    for name, value in values.items():
        setattr(sound, name, value)
    found = check_settings(None)
    assert [message.id for message in found] == [expected]
    assert found[0].hint


def test_django_runs_these_checks(sound: Settings) -> None:
    sound.WECHAT_REPLY_MODE = "fast"
    assert "wechat.E004" in [message.id for message in run_checks()]


def test_no_check_shows_a_secret(sound: Settings) -> None:
    sound.WECHAT_TOKEN, sound.WECHAT_ENCODING_AES_KEY = "not a token!", "not-a-key"
    text = " ".join(f"{message.msg} {message.hint}" for message in check_settings(None))
    assert "not a token!" not in text
    assert "not-a-key" not in text
