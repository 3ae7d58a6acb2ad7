"""Guessing is not free, and nobody can lock a colleague out by it."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import AsyncClient
from django.urls import reverse

from common.redis import redis
from tests.login.trying import PASSWORD, LogIn
from wechatbot.login.attempts import ADDRESS_LIMIT, PAIR_LIMIT

PROXY = "127.0.0.1"


def fail(log_in: LogIn, times: int, **given: Any) -> Any:
    answers = [log_in(**given) for _ in range(times)]
    return answers[-1]


def is_locked(answer: Any) -> bool:
    assert answer.status_code in (200, 302, 429)
    return answer.status_code == 429


class TestAPair:
    def test_it_is_locked_after_a_few_wrong_passwords_even_for_the_right_one(
        self, log_in: LogIn
    ) -> None:
        assert not is_locked(fail(log_in, PAIR_LIMIT - 1))
        assert is_locked(log_in())

        assert is_locked(log_in(password=PASSWORD))

    def test_the_form_says_how_long_to_wait(self, log_in: LogIn) -> None:
        answer = fail(log_in, PAIR_LIMIT)

        page = answer.content.decode()
        assert "登录失败的次数太多。请等 15 分钟再试" in page
        # What a form says that saves something.
        assert "还没有保存" not in page
        assert 0 < int(answer["Retry-After"]) <= 900
        assert "还没有保存" not in answer.content.decode()

    @pytest.mark.django_db(transaction=True)
    def test_the_form_says_so_under_asgi_too(self, log_in: LogIn) -> None:
        """As the product is served: there, middleware takes another way."""
        browser = AsyncClient(headers={"host": "localhost"})
        given = {"username": "liming", "password": "wrong"}
        for _ in range(PAIR_LIMIT):
            answer = async_to_sync(browser.post)(reverse("admin:login"), given)

        assert answer.status_code == 429
        assert "登录失败的次数太多。请等 15 分钟再试" in answer.content.decode()

    def test_it_ends_by_itself(self, log_in: LogIn) -> None:
        fail(log_in, PAIR_LIMIT)

        for key in redis().keys("login:*"):
            assert 0 < redis().ttl(key) <= 3600

    def test_a_try_in_vain_does_not_prolong_it(self, log_in: LogIn) -> None:
        fail(log_in, PAIR_LIMIT)
        [pair] = redis().keys("login:pair:*")
        redis().expire(pair, 40)

        answer = log_in()

        assert "请等 40 秒再试" in answer.content.decode()
        assert redis().get(pair) == str(PAIR_LIMIT).encode()

    def test_a_right_password_ends_its_count(self, log_in: LogIn) -> None:
        fail(log_in, PAIR_LIMIT - 1)
        assert log_in(password=PASSWORD).status_code == 302

        assert not is_locked(fail(log_in, PAIR_LIMIT - 1))

    def test_other_spellings_of_a_name_are_no_other_accounts(self, log_in: LogIn) -> None:
        for name in ("nobody", "NOBODY", "Nobody", "ｎｏｂｏｄｙ", " nobody "):
            answer = log_in(name)

        assert is_locked(answer)


class TestAnAddress:
    def test_it_is_locked_whatever_names_it_tries(self, log_in: LogIn) -> None:
        for number in range(ADDRESS_LIMIT):
            answer = log_in(f"user{number}")

        assert is_locked(answer)
        assert is_locked(log_in(password=PASSWORD))

    def test_the_addresses_of_one_ipv6_network_are_one(self, log_in: LogIn) -> None:
        network = ipaddress.IPv6Network("2001:db8:1:2::/64")
        for number in range(PAIR_LIMIT):
            answer = log_in(address=str(network[number * 1000]))

        assert is_locked(answer)
        assert not is_locked(log_in(address="2001:db8:1:3::1"))

    def test_a_right_password_does_not_end_its_count(self, log_in: LogIn) -> None:
        for number in range(ADDRESS_LIMIT - 1):
            log_in(f"user{number}")
        assert log_in(password=PASSWORD).status_code == 302

        assert is_locked(log_in("one more"))


class TestAnAccount:
    def test_it_is_slowed_but_opens_for_its_owner_from_elsewhere(
        self, log_in: LogIn, pauses: list[float]
    ) -> None:
        for number in range(60):
            log_in(address=f"198.51.100.{number}")

        answer = log_in(password=PASSWORD, address="203.0.113.9")

        assert answer.status_code == 302
        assert pauses[0] == 0
        assert pauses[-1] == 3.0

    def test_one_guesser_does_not_lock_a_colleague_at_another_desk(self, log_in: LogIn) -> None:
        fail(log_in, PAIR_LIMIT + 3)

        assert log_in(password=PASSWORD, address="198.51.100.2").status_code == 302


class TestAForwardedAddress:
    def test_it_is_believed_from_our_own_machines_proxy(self, log_in: LogIn) -> None:
        fail(log_in, PAIR_LIMIT, address=PROXY, **{"x-forwarded-for": "203.0.113.7"})

        seen = {"x-forwarded-for": "203.0.113.8"}
        assert log_in(password=PASSWORD, address=PROXY, **seen).status_code == 302

    def test_it_is_not_believed_from_anybody_else(self, log_in: LogIn) -> None:
        for number in range(PAIR_LIMIT):
            answer = log_in(**{"x-forwarded-for": f"203.0.113.{number}"})

        assert is_locked(answer)

    def test_what_a_caller_has_put_before_it_does_not_count(self, log_in: LogIn) -> None:
        for number in range(PAIR_LIMIT):
            said = f"192.0.2.{number}, 203.0.113.7"
            answer = log_in(address=PROXY, **{"x-forwarded-for": said})

        assert is_locked(answer)

    def test_networks_of_proxies_may_be_named(self, log_in: LogIn, settings: Any) -> None:
        settings.TRUSTED_PROXIES = [ipaddress.ip_network("172.16.0.0/12")]
        fail(log_in, PAIR_LIMIT, address="172.18.0.4", **{"x-forwarded-for": "203.0.113.7"})

        seen = {"x-forwarded-for": "203.0.113.8"}
        assert log_in(password=PASSWORD, address="172.18.0.4", **seen).status_code == 302


class TestUnlock:
    @pytest.mark.parametrize(
        "whom", [("--user", "liming"), ("--address", "198.51.100.1"), ("--all",)]
    )
    def test_it_lets_in_again(
        self, log_in: LogIn, whom: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        fail(log_in, PAIR_LIMIT)

        call_command("unlock", *whom)

        assert log_in(password=PASSWORD).status_code == 302
        assert "Forgot " in capsys.readouterr().out

    def test_it_leaves_the_others_locked(self, log_in: LogIn) -> None:
        fail(log_in, PAIR_LIMIT)

        call_command("unlock", "--user", "wangfang")
        call_command("unlock", "--address", "198.51.100.2")

        assert is_locked(log_in(password=PASSWORD))

    def test_an_empty_name_is_not_everybody(self, log_in: LogIn) -> None:
        with pytest.raises(CommandError, match="--all"):
            call_command("unlock", "--user", "")


class TestResetPassword:
    def test_it_prints_a_password_that_opens_at_once(
        self, log_in: LogIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fail(log_in, PAIR_LIMIT)

        call_command("reset_password", "liming")

        password = capsys.readouterr().out.splitlines()[0].rpartition(" ")[2]
        assert len(password) == 16
        assert log_in(password=password).status_code == 302

    def test_it_names_who_there_is(self, log_in: LogIn) -> None:
        with pytest.raises(CommandError, match="There are: liming"):
            call_command("reset_password", "admin")


def test_the_login_goes_on_without_redis(
    log_in: LogIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise OSError("away")

    monkeypatch.setattr("wechatbot.login.attempts.redis", away)

    assert fail(log_in, PAIR_LIMIT + 1).status_code == 200
    assert log_in(password=PASSWORD).status_code == 302
    assert reverse("admin:index") in log_in(password=PASSWORD)["Location"]
