"""Mistakes in the settings are told at start, by name and with a way out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from tests.stack import ROOT
from wechatbot.checks import check_settings
from wechatbot.environment import Environment


def ids() -> list[str | None]:
    return [message.id for message in check_settings()]


def test_the_settings_of_this_installation_pass() -> None:
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", 0, "wechatbot.E002"),
        ("PORT", 65536, "wechatbot.E002"),
        ("PUBLIC_URL", "shop.example.com", "wechatbot.E003"),
        ("PUBLIC_URL", "http://[::1", "wechatbot.E003"),
        ("PUBLIC_URL", "https://", "wechatbot.E003"),
        ("DATABASE_SCHEME", "postgres", "wechatbot.E004"),
        ("REDIS_URL", "localhost:6379", "wechatbot.E005"),
        ("RATE_LIMIT_PER_MINUTE", 0, "wechatbot.E006"),
        ("NEW_CUSTOMERS_PER_MINUTE", 0, "wechatbot.E006"),
        ("SESSION_TTL_SECONDS", 0, "wechatbot.E006"),
        ("RATE_LIMIT_STATUS", 99, "wechatbot.E007"),
        ("RATE_LIMIT_STATUS", 204, "wechatbot.E007"),
        ("KEEP_MESSAGE_DAYS", 2, "wechatbot.E008"),
        ("KEEP_LOG_DAYS", -1, "wechatbot.E008"),
        ("KEEP_LOG_DAYS", 1_000_000, "wechatbot.E008"),
    ],
)
def test_a_mistake_has_its_id_and_a_hint(
    settings: Settings, name: str, value: object, expected: str
) -> None:
    setattr(settings, name, value)

    found = check_settings()

    assert [message.id for message in found] == [expected]
    assert found[0].hint


def test_a_flood_may_be_answered_with_success(settings: Settings) -> None:
    settings.RATE_LIMIT_STATUS = 200

    assert ids() == []


def test_django_runs_these_checks(settings: Settings) -> None:
    settings.RATE_LIMIT_STATUS = 99

    assert "wechatbot.E007" in [message.id for message in run_checks()]


@pytest.mark.parametrize("text", ["abc", "", "2s", "1,000"])
def test_a_number_that_is_none_is_noted_and_its_default_stands(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HOLD_SECONDS", text)
    monkeypatch.setenv("PORT", text)
    env = Environment()

    assert (env.float("HOLD_SECONDS", default=2.0), env.int("PORT", default=8000)) == (2.0, 8000)
    assert set(env.unreadable) == {"HOLD_SECONDS", "PORT"}


def test_a_number_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLD_SECONDS", "0.5")
    env = Environment()

    assert (env.float("HOLD_SECONDS", default=2.0), env.int("PORT_OF_NOBODY", default=8000)) == (
        0.5,
        8000,
    )
    assert env.unreadable == {}


def test_a_start_names_every_unreadable_value_and_shows_no_password() -> None:
    mistaken = {
        "PORT": "abc",
        "EMAIL_URL": "user:hunter2@host",
        "DATABASE_URL": "postgres://user:hunter2@host/name",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, **mistaken},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert all(name in done.stderr for name in mistaken)
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_left_empty_is_the_one_of_a_new_installation(tmp_path: Path) -> None:
    """As a copied .env leaves it: SQLite and a Redis of our own."""
    empty = {"DATABASE_URL": "", "REDIS_URL": "", "DATA_DIR": str(tmp_path)}
    program = (
        "from django.conf import settings as s; print(s.DATABASES['default']['NAME'], "
        "s.REDIS_URL[:7])"
    )

    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", program],
        cwd=ROOT,
        env={**os.environ, **empty},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == [str(tmp_path / "wechatbot.sqlite3"), "unix://"], done.stderr
