from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from common.redis import redis
from tests.factories import AccountFactory
from wechat import accounts
from wechat.models import OfficialAccount, ReplyMode

pytestmark = pytest.mark.django_db(transaction=True)

SECRETS = {
    "app_secret": "appSecretUnseen",
    "token": "tokenUnseen",
    "aes_key": "C" * 43,
    "previous_aes_key": "P" * 43,
}
LIST = "admin:wechat_officialaccount_changelist"
ADD = "admin:wechat_officialaccount_add"


def page_of(account: OfficialAccount) -> str:
    return reverse("admin:wechat_officialaccount_change", args=[account.pk])


def typed(account: OfficialAccount | None = None, **values: Any) -> dict[str, Any]:
    """A form as the browser sends it: what the page shows, and nothing in the inputs of secrets."""
    shown = account or OfficialAccount(
        slug="shop", name="小店", app_id="wx1", reply_mode=ReplyMode.AUTO, enabled=True
    )
    data: dict[str, Any] = {
        "slug": shown.slug,
        "name": shown.name,
        "app_id": shown.app_id,
        **dict.fromkeys(SECRETS, ""),
    }
    data |= {"reply_mode": shown.reply_mode, "original_id": shown.original_id}
    data |= {
        name: "on" for name in ("enabled", "is_default", "encrypted_only") if getattr(shown, name)
    }
    return {**data, **values}


def test_no_page_shows_a_secret(admin_client: Client) -> None:
    account = AccountFactory(**SECRETS)
    pages = [
        admin_client.get(page_of(account)),
        admin_client.get(reverse(LIST)),
        admin_client.post(page_of(account), typed(account, name="", token="bad token!")),
        admin_client.get(reverse("admin:wechat_officialaccount_history", args=[account.pk])),
        admin_client.get(reverse("admin:wechat_officialaccount_delete", args=[account.pk])),
    ]
    for page in pages:
        assert page.status_code == 200
        for secret in (*SECRETS.values(), "bad token!"):
            assert secret not in page.content.decode()
    assert pages[0].content.decode().count("已设置，留空则不改") == 4


def test_no_page_of_an_account_of_the_environment_shows_a_secret(admin_client: Client) -> None:
    account = AccountFactory(**SECRETS, from_environment=True)
    page = admin_client.get(page_of(account)).content.decode()
    assert not [secret for secret in SECRETS.values() if secret in page]
    assert page.count('placeholder="已设置"') == 4
    assert "-clear" not in page
    assert "来自环境变量" in page


def test_who_may_only_look_does_not_look_at_accounts(client: Client) -> None:
    user = User.objects.create_user("viewer", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_officialaccount"))
    client.force_login(user)
    account = AccountFactory(**SECRETS)
    assert client.get(page_of(account)).status_code == 403


def test_an_account_is_added_and_answers_at_once(admin_client: Client) -> None:
    assert accounts.by_slug("shop") is None
    response = admin_client.post(reverse(ADD), typed(**SECRETS))
    assert response.status_code == 302
    keys = accounts.by_slug("shop")
    assert keys is not None
    assert (keys.token, keys.aes_key, keys.previous_aes_key) == ("tokenUnseen", "C" * 43, "P" * 43)


def test_an_account_needs_a_token_and_a_right_key(admin_client: Client) -> None:
    response = admin_client.post(reverse(ADD), typed(aes_key="too short"))
    assert set(response.context["adminform"].form.errors) == {"token", "aes_key"}
    assert not OfficialAccount.objects.exists()


def test_a_save_with_empty_inputs_keeps_the_secrets(admin_client: Client) -> None:
    account = AccountFactory(**SECRETS)
    assert admin_client.post(page_of(account), typed(account, name="新名")).status_code == 302
    row = OfficialAccount.objects.get()
    assert row.name == "新名"
    assert {name: getattr(row, name) for name in SECRETS} == SECRETS


def test_a_new_key_leaves_the_one_before_valid(admin_client: Client) -> None:
    account = AccountFactory(aes_key="C" * 43)
    admin_client.post(page_of(account), typed(account, aes_key="N" * 43))
    row = OfficialAccount.objects.get()
    assert (row.aes_key, row.previous_aes_key) == ("N" * 43, "C" * 43)


def test_the_previous_key_can_be_cleared(admin_client: Client) -> None:
    account = AccountFactory(**SECRETS)
    admin_client.post(page_of(account), typed(account, **{"previous_aes_key-clear": "on"}))
    row = OfficialAccount.objects.get()
    assert (row.aes_key, row.previous_aes_key) == (SECRETS["aes_key"], "")


def test_every_process_hears_of_a_save_and_of_a_deletion(admin_client: Client) -> None:
    account = AccountFactory()
    seen = [redis().get(accounts.VERSION_KEY)]
    admin_client.post(page_of(account), typed(account))
    seen.append(redis().get(accounts.VERSION_KEY))
    admin_client.post(
        reverse("admin:wechat_officialaccount_delete", args=[account.pk]), {"post": "yes"}
    )
    seen.append(redis().get(accounts.VERSION_KEY))
    assert not OfficialAccount.objects.exists()
    assert accounts.by_slug(account.slug) is None
    assert len(set(seen)) == 3


def test_a_new_default_takes_the_place_of_the_old(admin_client: Client) -> None:
    old, new = AccountFactory(is_default=True), AccountFactory()
    admin_client.post(page_of(new), typed(new, is_default="on"))
    assert list(OfficialAccount.objects.filter(is_default=True)) == [new]
    assert accounts.by_slug(None) == accounts.by_slug(new.slug)
    assert accounts.by_slug(old.slug) is not None


def test_what_the_environment_sets_is_not_changed_here(admin_client: Client) -> None:
    account = AccountFactory(**SECRETS, from_environment=True, slug="default", name="旧名")
    data = typed(
        account,
        name="新名",
        slug="other",
        app_id="wxother",
        reply_mode="passive",
        token="fromOutside",
    )
    assert admin_client.post(page_of(account), data).status_code == 302
    row = OfficialAccount.objects.get()
    assert (row.slug, row.app_id, row.reply_mode) == ("default", account.app_id, account.reply_mode)
    assert {name: getattr(row, name) for name in SECRETS} == SECRETS
    assert row.name == "新名"


def test_an_account_of_the_environment_is_not_deleted(admin_client: Client) -> None:
    account = AccountFactory(from_environment=True)
    url = reverse("admin:wechat_officialaccount_delete", args=[account.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [account.pk], "post": "yes"}
    admin_client.post(reverse(LIST), data)
    assert OfficialAccount.objects.exists()


def test_it_shows_the_address_to_enter_at_wechat(admin_client: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bot.example.com"
    account = AccountFactory(slug="shop")
    page = admin_client.get(page_of(account)).content.decode()
    assert "https://bot.example.com/wechat/shop" in page
    assert "<code>https://bot.example.com/wechat</code>" not in page
    accounts.make_default(account)
    assert (
        "<code>https://bot.example.com/wechat</code>"
        in admin_client.get(page_of(account)).content.decode()
    )


def test_it_shows_how_the_account_replies(admin_client: Client) -> None:
    account = AccountFactory(reply_mode=ReplyMode.AUTO)
    assert "客服接口" in admin_client.get(reverse(LIST)).content.decode()
    OfficialAccount.objects.update(api_refused_at=timezone.now())
    assert "48001" in admin_client.get(page_of(account)).content.decode()


def test_the_operator_lets_an_account_try_the_api_again(admin_client: Client) -> None:
    account = AccountFactory(api_refused_at=timezone.now())
    admin_client.post(reverse(LIST), {"action": "try_api_again", "_selected_action": [account.pk]})
    assert accounts.by_id(account.pk).may_send


def test_new_keys_of_the_api_drop_what_the_old_ones_left(admin_client: Client) -> None:
    account = AccountFactory(api_refused_at=timezone.now())
    redis().set(f"wechat:token:{account.app_id}", "token-of-the-old-secret")
    admin_client.post(page_of(account), typed(account, app_secret="newSecret"))
    assert OfficialAccount.objects.get().api_refused_at is None
    assert redis().get(f"wechat:token:{account.app_id}") is None
