"""Our own client against the simulated WeChat, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from simulator.models import Bubble, Follower, SimulatedAccount
from wechat import errors, tokens
from wechat.client import WeChatAPI
from wechat.models import OfficialAccount

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client_of_ours(
    our_account: OfficialAccount, live_server: Any, settings: Any
) -> Iterator[WeChatAPI]:
    settings.WECHAT_API_URL = f"{live_server.url}/simulator/api"
    tokens.forget()
    yield WeChatAPI(our_account)
    tokens.forget()


def test_it_sends_a_text(client_of_ours: WeChatAPI, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    client_of_ours.send_text(follower.openid, "您的订单已发货😀")
    assert Bubble.objects.get().text == "您的订单已发货😀"


def test_it_renews_a_refused_token_and_sends(client_of_ours: WeChatAPI, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    client_of_ours.send_text(follower.openid, "一")
    SimulatedAccount.objects.update(refuse_token=True)
    client_of_ours.send_text(follower.openid, "二")
    assert list(Bubble.objects.values_list("text", flat=True)) == ["一", "二"]


def test_it_hears_each_refusal_by_its_name(client_of_ours: WeChatAPI, follower: Follower) -> None:
    with pytest.raises(errors.WindowClosed):
        client_of_ours.send_text(follower.openid, "您好")
    with pytest.raises(errors.WrongCustomer):
        client_of_ours.send_text("oNobody", "您好")
    follower.open_message_window(timezone.now())
    with pytest.raises(errors.TextTooLong):
        client_of_ours.send_text(follower.openid, "长" * 700)
    Follower.objects.update(message_sends_left=0)
    with pytest.raises(errors.QuotaUsedUp):
        client_of_ours.send_text(follower.openid, "您好")
    SimulatedAccount.objects.update(verified=False)
    with pytest.raises(errors.ApiNotGranted):
        client_of_ours.send_text(follower.openid, "您好")


@pytest.fixture
def api_is_down(client_of_ours: WeChatAPI, follower: Follower) -> None:
    """After a text that it took: our client has a token."""
    follower.open_message_window(timezone.now())
    client_of_ours.send_text(follower.openid, "一")
    SimulatedAccount.objects.update(api_down=True)


@pytest.mark.usefixtures("api_is_down")
def test_an_api_that_is_down_is_worth_another_try(
    client_of_ours: WeChatAPI, follower: Follower
) -> None:
    with pytest.raises(errors.WeChatError) as caught:
        client_of_ours.typing(follower.openid)
    assert caught.value.try_again


@pytest.mark.usefixtures("api_is_down")
def test_whether_a_text_got_through_its_gateway_nobody_knows(
    client_of_ours: WeChatAPI, follower: Follower
) -> None:
    with pytest.raises(errors.OutcomeUnknown) as caught:
        client_of_ours.send_text(follower.openid, "二")
    assert not caught.value.try_again


def test_it_shows_typing(client_of_ours: WeChatAPI, follower: Follower) -> None:
    follower.open_message_window(timezone.now())
    client_of_ours.typing(follower.openid)
    follower.refresh_from_db()
    assert follower.typing_until is not None
