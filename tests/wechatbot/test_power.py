"""Who may change users does not become more than they are by it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

USERS = (
    "view_user",
    "change_user",
    "add_user",
    "delete_user",
    "view_group",
    "change_group",
    "delete_group",
)
PASSWORD = "a long password for one test"


def permissions(*names: str) -> Any:
    return Permission.objects.filter(codename__in=names)


def make_user(name: str, *names: str, **values: Any) -> User:
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **values)
    user.user_permissions.set(permissions(*names))
    return user


@pytest.fixture
def editor(db: None) -> User:
    return make_user("editor", *USERS, "view_ticket")


@pytest.fixture
def browser(editor: User) -> Client:
    client = Client()
    client.force_login(editor)
    return client


def save(browser: Client, user: User, **changed: Any) -> Any:
    given = {
        "username": user.username,
        "is_active": "on",
        "is_staff": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    }
    return browser.post(reverse("admin:auth_user_change", args=[user.pk]), given | changed)


def test_they_cannot_make_themselves_superuser(browser: Client, editor: User) -> None:
    kept = [permission.pk for permission in editor.user_permissions.all()]
    assert save(browser, editor, is_superuser="on", user_permissions=kept).status_code == 302

    editor.refresh_from_db()
    assert not editor.is_superuser


def test_they_cannot_take_permissions_that_they_lack(browser: Client, editor: User) -> None:
    wanted = permissions("change_languagemodel").get()

    answer = save(browser, editor, user_permissions=[wanted.pk])

    assert answer.status_code == 200
    assert not editor.user_permissions.filter(pk=wanted.pk).exists()


def test_they_cannot_join_a_group_of_more_power(browser: Client, editor: User) -> None:
    group = Group.objects.create(name="运维")
    group.permissions.set(permissions("change_languagemodel", "view_ticket"))

    assert save(browser, editor, groups=[group.pk]).status_code == 200
    assert not editor.groups.exists()


def test_they_hand_on_what_they_have(browser: Client) -> None:
    colleague = make_user("colleague")
    group = Group.objects.create(name="客服")
    group.permissions.set(permissions("view_ticket"))

    answer = save(
        browser, colleague, groups=[group.pk], user_permissions=[permissions("view_user").get().pk]
    )

    assert answer.status_code == 302
    assert colleague.groups.get() == group
    assert colleague.user_permissions.get().codename == "view_user"


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("kind", ["superuser", "more powerful"])
def test_they_neither_change_nor_delete_nor_log_in_as_who_may_more(
    browser: Client, kind: str, active: bool
) -> None:
    if kind == "superuser":
        boss = make_user("boss", is_superuser=True, is_active=active)
    else:
        boss = make_user("boss", "change_languagemodel", is_active=active)
    given = {
        "password1": "another long one",
        "password2": "another long one",
        "usable_password": "true",
    }

    changed = save(browser, boss, username="mine")
    reset = browser.post(reverse("admin:auth_user_password_change", args=[boss.pk]), given)
    deleted = browser.post(reverse("admin:auth_user_delete", args=[boss.pk]), {"post": "yes"})
    together = {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"}
    browser.post(reverse("admin:auth_user_changelist"), together)

    assert [answer.status_code for answer in (changed, reset, deleted)] == [403, 403, 403]
    boss.refresh_from_db()
    assert boss.username == "boss"
    assert boss.check_password(PASSWORD)


def test_they_cannot_give_a_group_more_than_they_have(browser: Client) -> None:
    group = Group.objects.create(name="客服")
    wanted = permissions("change_languagemodel").get()

    address = reverse("admin:auth_group_change", args=[group.pk])
    assert browser.post(address, {"name": "客服", "permissions": [wanted.pk]}).status_code == 200
    assert not group.permissions.exists()

    group.permissions.add(wanted)
    assert browser.post(address, {"name": "客服", "permissions": []}).status_code == 403


def test_a_superuser_may_all_of_it(admin_client: Client) -> None:
    colleague = make_user("colleague")

    assert save(admin_client, colleague, is_superuser="on").status_code == 302

    colleague.refresh_from_db()
    assert colleague.is_superuser
