"""The switches of the top bar, on WeChat's side and on ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulator.models import Fault, SimulatedAccount
from wechat import accounts
from wechat.models import OfficialAccount, ReplyMode

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]


def test_our_account_replies_passively_once_it_is_unverified(
    post: Post, our_account: OfficialAccount
) -> None:
    assert accounts.by_id(our_account.pk).may_send
    assert (
        post("switch/", {"name": "verified", "value": False}).json()["account"]["verified"] is False
    )
    our_account.refresh_from_db()
    assert our_account.reply_mode == ReplyMode.AUTO
    assert our_account.api_refused_at is not None
    assert not accounts.by_id(our_account.pk).may_send


def test_our_account_sends_again_once_it_is_verified(
    post: Post, our_account: OfficialAccount
) -> None:
    post("switch/", {"name": "verified", "value": False})
    post("switch/", {"name": "verified", "value": True})
    our_account.refresh_from_db()
    assert our_account.api_refused_at is None
    assert accounts.by_id(our_account.pk).may_send


def test_the_switch_works_without_an_account_of_ours(post: Post) -> None:
    assert post("switch/", {"name": "verified", "value": False}).status_code == 200


@pytest.mark.parametrize("fault", Fault.values)
def test_a_fault_is_switched_on_and_off(post: Post, fault: str) -> None:
    for value in (True, False):
        post("switch/", {"name": fault, "value": value})
        assert getattr(SimulatedAccount.current(), fault) is value


def test_the_mode_is_chosen(post: Post) -> None:
    assert post("switch/", {"name": "mode", "value": "plain"}).json()["account"]["mode"] == "plain"


@pytest.mark.parametrize(
    "given",
    [
        {"name": "app_id", "value": "wx"},
        {"name": "mode", "value": "rot13"},
        {"name": "verified", "value": "no"},
        {},
    ],
)
def test_there_are_no_other_switches(post: Post, given: dict[str, object]) -> None:
    assert post("switch/", given).status_code == 400
