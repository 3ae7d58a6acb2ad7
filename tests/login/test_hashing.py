"""Ten logins at once cost the memory of two."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.login.trying import PASSWORD
from wechatbot.login import hashing

ARGON2 = ["wechatbot.login.hashing.Argon2Hasher", "wechatbot.login.hashing.PBKDF2Hasher"]
# As Django hashes by itself: 100 MB.
HEAVY = Argon2PasswordHasher()


@pytest.fixture(autouse=True)
def argon2(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ARGON2


class Crowd:
    """Counts who hashes at the same time; the first two stay until somebody has waited for a third
    place.
    """

    def __init__(self) -> None:
        self.now = self.most = self.all = 0
        self.lock = threading.Lock()

    def enter(self) -> None:
        with self.lock:
            self.now += 1
            self.all += 1
            self.most = max(self.most, self.now)

    def leave(self) -> None:
        with self.lock:
            self.now -= 1


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    found = Crowd()
    hash_it = Argon2PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        found.enter()
        try:
            return hash_it(self, password, salt)
        finally:
            found.leave()

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    return found


@pytest.fixture
def no_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hashing, "PATIENCE_SECONDS", 0.01)
    held = [hashing._places.acquire() for _ in range(hashing.PLACES)]
    yield
    for _ in held:
        hashing._places.release()


def test_a_hash_takes_nineteen_megabytes() -> None:
    assert "$m=19456,t=2,p=1$" in make_password(PASSWORD)


def test_ten_at_once_hash_two_by_two(crowd: Crowd) -> None:
    with ThreadPoolExecutor(10) as threads:
        hashed = list(threads.map(make_password, [PASSWORD] * 10))

    assert len(set(hashed)) == 10
    assert crowd.all == 10
    assert crowd.most <= 2


@pytest.mark.django_db
def test_a_login_of_nobody_waits_for_a_place_too(
    client: Client, crowd: Crowd, no_place: None
) -> None:
    answer = client.post(reverse("admin:login"), {"username": "nobody", "password": "x"})

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "现在登录的人太多" in answer.content.decode()
    assert crowd.all == 0


def test_whoever_hashes_elsewhere_in_the_admin_reads_the_same(
    admin_client: Client, no_place: None
) -> None:
    address = reverse("admin:auth_user_password_change", args=[User.objects.get().pk])
    answer = admin_client.post(
        address, {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    )

    assert answer.status_code == 503


@pytest.mark.django_db
def test_an_old_heavy_password_still_opens_and_becomes_a_light_one(client: Client) -> None:
    user = User.objects.create_superuser("liming")
    user.password = HEAVY.encode(PASSWORD, "saltsaltsalt")
    user.save()

    answer = client.post(reverse("admin:login"), {"username": "liming", "password": PASSWORD})

    assert answer.status_code == 302
    user.refresh_from_db()
    assert "$m=19456,t=2,p=1$" in user.password
    assert check_password(PASSWORD, user.password)
