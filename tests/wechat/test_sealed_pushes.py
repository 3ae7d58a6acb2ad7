"""Which accounts take sealed pushes only, how long a key before the present one opens them, and
what the page says.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from tests.factories import AES_KEY, AccountFactory
from tests.stack import ROOT
from tests.wechat.test_admin import ADD, page_of, typed
from wechat import accounts, crypto
from wechat.models import OfficialAccount
from wechatbot.supervisor import start

pytestmark = pytest.mark.django_db(transaction=True)

turn_on = import_module("wechat.migrations.0003_turn_on_sealed_pushes").turn_on


@pytest.fixture
def environment(settings: Settings) -> Settings:
    settings.WECHAT_APP_ID = "wxreal0000000001"
    settings.WECHAT_APP_SECRET = "secret-of-the-environment"
    settings.WECHAT_TOKEN = "tokenOfEnvironment"
    settings.WECHAT_ENCODING_AES_KEY = "K" * 43
    settings.WECHAT_ENCRYPTED_ONLY = True
    settings.WECHAT_IS_SIMULATED = False
    return settings


def takes_sealed_only(slug: str) -> bool:
    found = accounts.by_slug(slug)
    assert found is not None
    return found.encrypted_only


class TestWho:
    def test_the_migration_turns_it_on_for_accounts_with_a_key(self) -> None:
        AccountFactory(slug="keyed"), AccountFactory(slug="keyless", aes_key="")
        with connection.schema_editor() as editor:
            turn_on(apps, editor)
        assert takes_sealed_only("keyed")
        assert not takes_sealed_only("keyless")

    def test_an_account_of_the_admin_begins_so(self, admin_client: Client) -> None:
        page = admin_client.get(reverse(ADD))
        assert page.context["adminform"].form["encrypted_only"].value() is True

    @pytest.mark.parametrize("wanted", [True, False])
    def test_the_environment_decides_for_its_account(
        self, environment: Settings, wanted: bool
    ) -> None:
        environment.WECHAT_ENCRYPTED_ONLY = wanted
        accounts.ensure_from_environment()
        assert takes_sealed_only("default") is wanted

    def test_the_page_does_not_change_what_the_environment_decides(
        self, admin_client: Client, environment: Settings
    ) -> None:
        row = accounts.ensure_from_environment()
        assert row is not None
        data = typed(row)
        data.pop("encrypted_only")
        assert admin_client.post(page_of(row), data).status_code == 302
        assert OfficialAccount.objects.get().encrypted_only


class TestTheSettings:
    """As a start reads them."""

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({"WECHAT_APP_ID": "wx1", "WECHAT_ENCODING_AES_KEY": "k" * 43}, "True"),
            ({"WECHAT_APP_ID": "wx1"}, "False"),
            ({}, "False"),
            (
                {
                    "WECHAT_APP_ID": "wx1",
                    "WECHAT_ENCODING_AES_KEY": "k" * 43,
                    "WECHAT_ENCRYPTED_ONLY": "false",
                },
                "False",
            ),
        ],
    )
    def test_a_key_of_ones_own_turns_it_on(
        self, environment: dict[str, str], expected: str
    ) -> None:
        """The simulator's own account has a key too, but its phone sends in every mode."""
        look = "from wechatbot import settings; print(settings.WECHAT_ENCRYPTED_ONLY)"
        done = subprocess.run(
            [sys.executable, "-c", look],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected

    def test_a_start_says_which_mode_to_choose(self, environment: Settings) -> None:
        lines = dict(start.make_plan("127.0.0.1", 8000).urls)
        assert "安全模式" in lines["WeChat mode"]
        environment.WECHAT_ENCRYPTED_ONLY = False
        assert "WeChat mode" not in dict(start.make_plan("127.0.0.1", 8000).urls)


class TestThePage:
    def test_it_says_what_to_change_where_plain_pushes_are_refused(
        self, admin_client: Client
    ) -> None:
        account = AccountFactory(encrypted_only=True)
        words = "把消息加解密方式改为「安全模式」"
        assert words not in admin_client.get(page_of(account)).content.decode()
        accounts.note_refused_plain(account.pk)
        page = admin_client.get(page_of(account)).content.decode()
        assert words in page
        assert "我的业务 → 公众号/服务号 → 基础信息 → 域名与消息推送配置" in page

    def test_it_says_what_plain_pushes_risk(self, admin_client: Client) -> None:
        page = admin_client.get(page_of(AccountFactory(encrypted_only=False))).content.decode()
        assert "接收明文推送" in page

    def test_it_says_until_when_the_key_before_is_valid(self, admin_client: Client) -> None:
        account = AccountFactory()
        assert "没有上一个密钥" in admin_client.get(page_of(account)).content.decode()
        admin_client.post(page_of(account), typed(account, aes_key="N" * 43))
        assert "有效至" in admin_client.get(page_of(account)).content.decode()
        OfficialAccount.objects.update(aes_key_replaced_at=timezone.now() - timedelta(hours=25))
        assert "起已失效" in admin_client.get(page_of(account)).content.decode()


class TestTheKeyBefore:
    """WeChat may seal with it for a while after the change; who stole it may not for ever."""

    def opens(self, account: OfficialAccount, key: str) -> bool:
        accounts.changed()
        keys = accounts.by_slug(account.slug)
        assert keys is not None
        encrypted = crypto.encrypt(b"<xml/>", aes_key=key, app_id=account.app_id)
        query = {"timestamp": "1", "nonce": "2", "encrypt_type": "aes"}
        query["signature"] = crypto.signature(account.token, "1", "2")
        query["msg_signature"] = crypto.signature(account.token, "1", "2", encrypted)
        body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>".encode()
        try:
            crypto.open_body(crypto.check_query(keys, query), body)
        except (crypto.BadEnvelope, crypto.WrongAppId):
            return False
        return True

    def replaced(self, *, hours_ago: float) -> OfficialAccount:
        account: OfficialAccount = AccountFactory()
        account.replace_aes_key("N" * 43)
        account.aes_key_replaced_at = timezone.now() - timedelta(hours=hours_ago)
        account.save()
        return account

    @pytest.mark.parametrize(("hours_ago", "is_open"), [(0, True), (23.9, True), (24.1, False)])
    def test_it_opens_pushes_for_a_day(self, hours_ago: float, is_open: bool) -> None:
        account = self.replaced(hours_ago=hours_ago)
        assert self.opens(account, AES_KEY) is is_open
        assert self.opens(account, "N" * 43)

    def test_the_operator_may_say_how_long(self, settings: Settings) -> None:
        settings.WECHAT_PREVIOUS_AES_KEY_HOURS = 48
        assert self.opens(self.replaced(hours_ago=47), AES_KEY)
        settings.WECHAT_PREVIOUS_AES_KEY_HOURS = 0
        assert not self.opens(self.replaced(hours_ago=1), AES_KEY)

    def test_one_of_which_nobody_knows_the_day_opens_nothing(self) -> None:
        assert not self.opens(AccountFactory(aes_key="N" * 43, previous_aes_key=AES_KEY), AES_KEY)

    def test_the_migration_gives_those_that_are_there_a_day(self) -> None:
        account = AccountFactory(aes_key="N" * 43, previous_aes_key=AES_KEY)
        with connection.schema_editor() as editor:
            turn_on(apps, editor)
        assert self.opens(account, AES_KEY)

    @pytest.mark.parametrize("values", [{"aes_key": "N" * 43}, {"previous_aes_key": AES_KEY}])
    def test_a_change_in_the_admin_begins_its_day(
        self, admin_client: Client, values: dict[str, str]
    ) -> None:
        account = AccountFactory()
        admin_client.post(page_of(account), typed(account, **values))
        assert self.opens(account, AES_KEY)
        OfficialAccount.objects.update(
            aes_key="N" * 43, aes_key_replaced_at=timezone.now() - timedelta(hours=25)
        )
        assert not self.opens(account, AES_KEY)

    def test_a_new_key_in_the_environment_begins_its_day(self, environment: Settings) -> None:
        accounts.ensure_from_environment()
        environment.WECHAT_ENCODING_AES_KEY = "L" * 43
        row = accounts.ensure_from_environment()
        assert row is not None
        assert self.opens(row, "K" * 43)
