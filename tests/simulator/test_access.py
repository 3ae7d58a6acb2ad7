"""Open on one's own machine, for staff elsewhere, absent where it is switched off."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from simulator.models import Exchange, Follower

pytestmark = pytest.mark.django_db

PATHS = ["/simulator/", "/simulator/state/"]


@pytest.mark.parametrize("path", PATHS)
def test_everybody_sees_it_on_their_own_machine(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_elsewhere_the_page_sends_to_the_staff_login(client: Client, settings: Any) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    answer = client.get("/simulator/?customer=3")
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/login/?next=/simulator/%3Fcustomer%3D3"


def test_elsewhere_its_data_are_refused(client: Client, settings: Any, follower: Follower) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    row = Exchange.objects.create(kind="push", label="text", method="POST", url="http://x")
    for path in ("state/", f"exchanges/{row.pk}/"):
        assert client.get(f"/simulator/{path}").status_code == 403
    for path in ("customers/", f"customers/{follower.pk}/say/", "switch/"):
        assert client.post(f"/simulator/{path}", {}, content_type="application/json").status_code == 403


def test_a_customer_of_the_shop_is_not_staff(client: Client, settings: Any) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/simulator/state/").status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_staff_see_it_elsewhere(client: Client, settings: Any, path: str) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    client.force_login(User.objects.create_user("liming", is_staff=True))
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", [*PATHS, "/simulator/api/cgi-bin/getcallbackip"])
def test_it_is_absent_where_it_is_switched_off(client: Client, settings: Any, path: str) -> None:
    settings.SIMULATOR = False
    client.force_login(User.objects.create_user("liming", is_staff=True))
    assert client.get(path).status_code == 404


def test_a_foreign_page_cannot_act(follower: Follower) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(f"/simulator/customers/{follower.pk}/say/", {"text": "x"}, content_type="application/json")
    assert answer.status_code == 403


def test_looking_needs_get_and_acting_needs_post(client: Client, follower: Follower) -> None:
    assert client.get(f"/simulator/customers/{follower.pk}/say/").status_code == 405
    assert client.post("/simulator/state/").status_code == 405
