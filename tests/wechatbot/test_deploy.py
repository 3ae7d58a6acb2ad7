"""As it is deployed: Django's own list for production is clean, cookies are Secure, old keys still
open.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.environment import CONTRACT
from wechatbot.generated import generated

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = "https://shop.example.com"
FIELD = "from wechat.models import OfficialAccount as A; field = A._meta.get_field('app_secret'); "
KEEP = FIELD + "print(field.get_prep_value({!r}))"
READ = FIELD + "print(field.from_db_value({!r}, None, None))"


def manage(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: settings are read once."""
    environment = {name: value for name, value in os.environ.items() if name not in CONTRACT}
    environment.update(
        DATA_DIR=str(folder), ENV_FILE=os.devnull, REDIS_URL="redis://nowhere", **settings
    )
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_djangos_list_for_production_is_clean(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", PUBLIC_URL=PUBLIC)

    assert done.returncode == 0, done.stderr


@pytest.fixture
def public(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 3600
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["shop.example.com", "localhost"]


def test_by_the_public_name_cookies_are_secure_and_https_stays(db: None, public: None) -> None:
    client = Client(headers={"host": "shop.example.com", "x-forwarded-proto": "https"})
    answer = client.get("/admin/login/")

    assert answer.cookies["csrftoken"]["secure"]
    assert answer["Strict-Transport-Security"] == "max-age=3600"


def test_by_the_local_name_a_login_without_https_goes_on(db: None, public: None) -> None:
    answer = Client(headers={"host": "localhost:8000"}).get("/admin/login/")

    assert not answer.cookies["csrftoken"]["secure"]
    assert "Strict-Transport-Security" not in answer


def test_a_plain_request_through_a_proxy_gets_secure_cookies(db: None, public: None) -> None:
    answer = Client(headers={"host": "localhost:8000", "via": "1.1 x"}).get("/admin/login/")

    assert answer.cookies["csrftoken"]["secure"]


@pytest.mark.parametrize("changed", ["SECRET_KEY", "SALT_KEY"])
def test_a_secret_still_opens_after_its_key_has_changed(tmp_path: Path, changed: str) -> None:
    old = {"SECRET_KEY": "o" * 60, "SALT_KEY": "a" * 32}
    new = {**old, changed: "n" * 60}
    stored = manage(tmp_path, "shell", "-v0", "-c", KEEP.format("a secret"), **old).stdout.strip()
    read = ("shell", "-v0", "-c", READ.format(stored))

    assert stored.startswith("gAAAA")
    assert "a secret" not in manage(tmp_path, *read, **new).stdout
    kept = {f"{changed}_FALLBACKS": old[changed]}
    assert manage(tmp_path, *read, **new, **kept).stdout.strip() == "a secret"


def test_the_folder_of_generated_secrets_is_made_for_us_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    generated(data / "secrets", "key", lambda: "x")

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "secrets").stat().st_mode) == 0o700
