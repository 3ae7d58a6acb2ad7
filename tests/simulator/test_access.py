"""Open on one's own machine, elsewhere for staff with the permission, absent where it is switched
off.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from simulator.models import Exchange, Follower
from wechat.models import OfficialAccount

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
        assert (
            client.post(f"/simulator/{path}", {}, content_type="application/json").status_code
            == 403
        )


def test_a_customer_of_the_shop_is_not_staff(client: Client, settings: Any) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/simulator/state/").status_code == 403


def staff(*permissions: str) -> User:
    user = User.objects.create_user("liming", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.mark.parametrize("path", PATHS)
def test_staff_with_the_permission_see_it_elsewhere(
    client: Client, settings: Any, path: str
) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    client.force_login(staff("use_simulator"))
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_other_staff_read_that_they_may_not(client: Client, settings: Any, path: str) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    client.force_login(staff("view_ticket", "change_user"))
    answer = client.get(path)
    assert answer.status_code == 403
    assert "权限" in (answer.content.decode() if path == PATHS[0] else answer.json()["error"])


def test_its_permission_has_a_chinese_name_where_permissions_are_given(
    admin_client: Client,
) -> None:
    html = admin_client.get("/admin/auth/group/add/").content.decode()
    assert "模拟的公众号 | 使用</option>" in html


# As tunnels, CDNs and web servers tell whom they speak for.
PROXIES = [
    ("forwarded", "for=198.51.100.1"),
    ("x-forwarded-for", "198.51.100.1"),
    ("x-forwarded-host", "shop.example.com"),
    ("x-forwarded-proto", "https"),
    ("x-real-ip", "198.51.100.1"),
    ("via", "1.1 proxy"),
    ("cf-connecting-ip", "198.51.100.1"),
    ("cf-ray", "1"),
    ("ngrok-auth-user-id", "x"),
    ("ngrok-skip-browser-warning", "1"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("header", "value"), PROXIES)
def test_whoever_comes_through_a_proxy_needs_a_login(header: str, value: str, path: str) -> None:
    """The tunnel runs on our machine and speaks to our local name: only its headers tell."""
    client = Client(headers={"host": "localhost:8000", header: value})
    assert client.get(path).status_code in (302, 403)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "peer", ["198.51.100.1", "10.0.0.3", "2001:db8::1", "", "::ffff:198.51.100.1"]
)
def test_whoever_comes_from_another_machine_needs_a_login(peer: str, path: str) -> None:
    client = Client(REMOTE_ADDR=peer, headers={"host": "localhost:8000"})
    assert client.get(path).status_code in (302, 403)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_has_several_names_and_addresses(peer: str, host: str) -> None:
    assert Client(REMOTE_ADDR=peer, headers={"host": host}).get("/simulator/").status_code == 200


@pytest.mark.parametrize("host", ["shop.example.com", "localhost.example.com", "evil.test:8000"])
def test_a_foreign_name_for_this_machine_needs_a_login(host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert Client(headers={"host": host}).get("/simulator/").status_code == 302


@pytest.mark.parametrize("path", PATHS)
def test_it_needs_a_login_beside_a_real_account_of_the_environment(
    client: Client, settings: Any, path: str
) -> None:
    settings.WECHAT_IS_SIMULATED = False
    assert client.get(path).status_code in (302, 403)


@pytest.mark.parametrize("path", PATHS)
def test_it_needs_a_login_beside_a_real_account_of_the_admin(
    client: Client, our_account: OfficialAccount, path: str
) -> None:
    assert client.get(path).status_code == 200
    OfficialAccount.objects.create(
        name="小店", slug="shop", app_id="wxrealrealrealreal", token="abc123"
    )
    assert client.get(path).status_code in (302, 403)


@pytest.mark.parametrize("path", [*PATHS, "/simulator/api/cgi-bin/getcallbackip"])
def test_it_is_absent_where_it_is_switched_off(client: Client, settings: Any, path: str) -> None:
    settings.SIMULATOR = False
    client.force_login(User.objects.create_user("liming", is_staff=True))
    assert client.get(path).status_code == 404


def test_a_foreign_page_cannot_act(follower: Follower) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost:8000"})
    answer = strict.post(
        f"/simulator/customers/{follower.pk}/say/", {"text": "x"}, content_type="application/json"
    )
    assert answer.status_code == 403


def test_looking_needs_get_and_acting_needs_post(client: Client, follower: Follower) -> None:
    assert client.get(f"/simulator/customers/{follower.pk}/say/").status_code == 405
    assert client.post("/simulator/state/").status_code == 405
