"""The account that the environment names, made and refreshed at each start."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from tests.factories import AccountFactory
from wechat import accounts
from wechat.models import OfficialAccount

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def environment(settings: Settings) -> Settings:
    settings.WECHAT_APP_ID = "wxreal0000000001"
    settings.WECHAT_APP_SECRET = "secret-of-the-environment"
    settings.WECHAT_TOKEN = "tokenOfEnvironment"
    settings.WECHAT_ENCODING_AES_KEY = "K" * 43
    settings.WECHAT_REPLY_MODE = "auto"
    settings.WECHAT_IS_SIMULATED = False
    return settings


def test_the_first_account_comes_from_the_environment(environment: Settings) -> None:
    accounts.ensure_from_environment()
    row = OfficialAccount.objects.get()
    assert (row.slug, row.app_id, row.app_secret) == (
        "default",
        "wxreal0000000001",
        "secret-of-the-environment",
    )
    assert (row.token, row.aes_key, row.previous_aes_key) == ("tokenOfEnvironment", "K" * 43, "")
    assert row.from_environment
    assert row.is_default
    assert accounts.by_slug(None) == accounts.by_slug("default")


def test_a_start_refreshes_it_and_leaves_what_the_environment_does_not_know(
    environment: Settings,
) -> None:
    accounts.ensure_from_environment()
    OfficialAccount.objects.update(name="小店", token="changedByHand", enabled=False)
    environment.WECHAT_TOKEN = "newToken"
    accounts.ensure_from_environment()
    row = OfficialAccount.objects.get()
    assert (row.name, row.token, row.enabled) == ("小店", "newToken", True)


def test_a_new_key_in_the_environment_leaves_the_one_before_valid(environment: Settings) -> None:
    accounts.ensure_from_environment()
    environment.WECHAT_ENCODING_AES_KEY = "L" * 43
    accounts.ensure_from_environment()
    accounts.ensure_from_environment()
    row = OfficialAccount.objects.get()
    assert (row.aes_key, row.previous_aes_key) == ("L" * 43, "K" * 43)


def test_a_restart_does_not_forget_that_wechat_refused_the_api(environment: Settings) -> None:
    row = accounts.ensure_from_environment()
    assert row is not None
    accounts.turn_passive(row.pk)
    accounts.ensure_from_environment()
    assert not accounts.by_id(row.pk).may_send
    environment.WECHAT_REPLY_MODE = "api"
    accounts.ensure_from_environment()
    assert accounts.by_id(row.pk).may_send


def test_another_account_in_the_environment_is_another_row(environment: Settings) -> None:
    accounts.ensure_from_environment()
    environment.WECHAT_APP_ID = "wxreal0000000002"
    accounts.ensure_from_environment()
    old, new = OfficialAccount.objects.order_by("pk")
    assert (old.from_environment, old.is_default, old.enabled) == (False, False, True)
    assert (new.from_environment, new.is_default, new.slug) == (True, True, "wxreal0000000002")


def test_an_account_of_the_admin_that_the_environment_names_becomes_its_own(
    environment: Settings,
) -> None:
    AccountFactory(app_id="wxreal0000000001", slug="shop", name="小店")
    accounts.ensure_from_environment()
    row = OfficialAccount.objects.get()
    assert (row.slug, row.name, row.from_environment) == ("shop", "小店", True)


def test_without_an_account_in_the_environment_the_rows_are_the_admins(
    environment: Settings,
) -> None:
    accounts.ensure_from_environment()
    environment.WECHAT_APP_ID = ""
    assert accounts.ensure_from_environment() is None
    assert not OfficialAccount.objects.get().from_environment


def test_the_simulated_account_says_what_it_is(environment: Settings) -> None:
    environment.WECHAT_IS_SIMULATED = True
    accounts.ensure_from_environment()
    row = OfficialAccount.objects.get()
    assert (row.slug, row.name) == ("simulator", "模拟公众号")
    assert accounts.by_slug(None) == accounts.by_slug("simulator")


def test_the_simulated_account_of_this_installation_is_sound() -> None:
    row = accounts.ensure_from_environment()
    assert row is not None
    row.full_clean()
    assert row.may_send


@pytest.mark.parametrize(
    ("name", "value"),
    [("WECHAT_TOKEN", ""), ("WECHAT_ENCODING_AES_KEY", "short"), ("WECHAT_REPLY_MODE", "fast")],
)
def test_wrong_settings_are_refused_and_nothing_is_stored(
    environment: Settings, name: str, value: str
) -> None:
    setattr(environment, name, value)
    with pytest.raises(ImproperlyConfigured):
        accounts.ensure_from_environment()
    assert not OfficialAccount.objects.exists()
