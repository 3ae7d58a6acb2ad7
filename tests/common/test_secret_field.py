from __future__ import annotations

import logging
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django import forms
from django.db import connection
from pytest_django import Settings

from common.secret_field import SecretField, UnreadableSecret, secret_state
from tests.factories import AccountFactory
from wechat.models import OfficialAccount

pytestmark = pytest.mark.django_db

SECRET = "theSecretThatNobodySees"


class AccountForm(forms.ModelForm):
    class Meta:
        model = OfficialAccount
        fields = ["token", "app_secret"]


def stored(column: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM wechat_officialaccount")
        return cursor.fetchone()[0]


# --- At rest ------------------------------------------------------------------------------------


def test_a_secret_is_encrypted_at_rest_and_read_back() -> None:
    AccountFactory(app_secret=SECRET)
    assert SECRET not in stored("app_secret")
    assert stored("app_secret").startswith("gAAAA")
    assert OfficialAccount.objects.get().app_secret == SECRET


def test_a_blank_secret_is_blank() -> None:
    AccountFactory(app_secret="")
    assert stored("app_secret") == ""
    assert OfficialAccount.objects.get().app_secret == ""
    assert OfficialAccount.objects.filter(app_secret="").exists()


def test_an_update_of_many_rows_encrypts_too() -> None:
    AccountFactory()
    OfficialAccount.objects.update(app_secret=SECRET)
    assert SECRET not in stored("app_secret")
    assert OfficialAccount.objects.get().app_secret == SECRET


def test_a_secret_is_decrypted_while_another_thread_validates_a_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The library's field keeps a mark on itself meanwhile, and reads cipher text."""
    AccountFactory(app_secret=SECRET)
    monkeypatch.setattr(
        OfficialAccount._meta.get_field("app_secret"), "_already_decrypted", True, raising=False
    )
    assert OfficialAccount.objects.get().app_secret == SECRET


def test_a_secret_of_another_key_reads_as_empty_and_survives_a_save(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    AccountFactory(app_secret=SECRET)
    cipher_text = stored("app_secret")
    settings.SECRET_KEY, right_key = "another key", settings.SECRET_KEY
    row = OfficialAccount.objects.get()
    assert row.app_secret == ""
    assert isinstance(row.app_secret, UnreadableSecret)
    assert "SECRET_KEY" in caplog.text
    row.save()
    assert stored("app_secret") == cipher_text
    settings.SECRET_KEY = right_key
    assert OfficialAccount.objects.get().app_secret == SECRET


def test_a_retired_key_still_decrypts(settings: Settings) -> None:
    AccountFactory(app_secret=SECRET)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the new key"
    assert OfficialAccount.objects.get().app_secret == SECRET


def test_the_key_is_derived_once_for_all_fields() -> None:
    fields = [
        field for field in OfficialAccount._meta.get_fields() if isinstance(field, SecretField)
    ]
    assert len(fields) == 4
    assert len({id(field.f) for field in fields}) == 1


def test_what_is_no_cipher_text_is_not_taken_for_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    field = OfficialAccount._meta.get_field("app_secret")
    assert field.from_db_value("planted in the table", None, None) == ""
    assert (
        field.from_db_value(Fernet(Fernet.generate_key()).encrypt(b"x").decode(), None, None) == ""
    )


# --- In forms -----------------------------------------------------------------------------------


def form(account: OfficialAccount | None = None, **data: str) -> AccountForm:
    return AccountForm(data or None, instance=account)


def test_a_form_never_shows_a_secret() -> None:
    page = form(AccountFactory(app_secret=SECRET, token="tokenUnseen")).as_p()
    assert SECRET not in page
    assert "tokenUnseen" not in page
    assert page.count("已设置") == 2


def test_a_form_says_what_is_not_set() -> None:
    page = form(AccountFactory(app_secret="")).as_p()
    assert page.count("未设置") == 1
    assert "app_secret-clear" not in page


def test_a_form_shown_again_does_not_give_back_what_was_typed() -> None:
    again = form(AccountFactory(), token="not a valid token!", app_secret="typedSecret")
    assert not again.is_valid()
    assert "typedSecret" not in again.as_p()
    assert "not a valid token!" not in again.as_p()


def test_an_empty_input_keeps_what_is_stored() -> None:
    account = AccountFactory(app_secret=SECRET, token="tokenKept")
    sent = form(account, token="", app_secret="  ")
    assert sent.is_valid()
    assert not sent.has_changed()
    sent.save()
    row = OfficialAccount.objects.get()
    assert (row.app_secret, row.token) == (SECRET, "tokenKept")


def test_an_input_replaces_what_is_stored() -> None:
    sent = form(AccountFactory(app_secret=SECRET), token=" newToken ", app_secret="newSecret")
    assert sent.is_valid()
    assert set(sent.changed_data) == {"token", "app_secret"}
    sent.save()
    row = OfficialAccount.objects.get()
    assert (row.app_secret, row.token) == ("newSecret", "newToken")


def test_a_box_clears_a_secret_that_may_be_blank() -> None:
    account = AccountFactory(app_secret=SECRET)
    assert "app_secret-clear" in form(account).as_p()
    sent = form(account, **{"app_secret-clear": "on"})
    assert sent.is_valid()
    sent.save()
    assert OfficialAccount.objects.get().app_secret == ""


def test_a_needed_secret_cannot_be_cleared() -> None:
    account = AccountFactory(token="tokenKept")
    assert "token-clear" not in form(account).as_p()
    sent = form(account, **{"token-clear": "on"})
    assert sent.is_valid()
    sent.save()
    assert OfficialAccount.objects.get().token == "tokenKept"


def test_a_needed_secret_has_to_be_given_once() -> None:
    sent = form(token="", app_secret="x")
    assert not sent.is_valid()
    assert list(sent.errors) == ["token"]


@pytest.mark.parametrize("token", ["with space", "ab", "x" * 65])
def test_what_is_typed_is_validated(token: str) -> None:
    assert list(form(AccountFactory(), token=token).errors) == ["token"]


def test_a_disabled_input_changes_nothing() -> None:
    account = AccountFactory(app_secret=SECRET)
    sent = form(account, app_secret="fromOutside", token="")
    sent.fields["app_secret"].disabled = True
    assert sent.is_valid()
    sent.save()
    assert OfficialAccount.objects.get().app_secret == SECRET


def test_a_page_may_say_that_there_is_one() -> None:
    assert secret_state(SECRET) == "已设置"
    assert secret_state("") == "未设置"
