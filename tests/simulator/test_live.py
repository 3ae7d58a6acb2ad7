"""The WebSocket of an open page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser, Permission, User

from simulator import live, phone
from simulator.account import switch
from simulator.consumers import NOT_ALLOWED
from simulator.models import Follower
from simulator.routing import websocket_urlpatterns

pytestmark = [pytest.mark.django_db(transaction=True)]


Headers = tuple[tuple[bytes, bytes], ...]
LOCAL: Headers = ((b"host", b"localhost:8000"),)


class Page:
    """An open page's end of the line."""

    def __init__(
        self,
        customer: object,
        user: object = None,
        *,
        peer: str = "127.0.0.1",
        headers: Headers = LOCAL,
    ) -> None:
        scope = {
            "type": "websocket",
            "path": "/ws/simulator/",
            "query_string": f"customer={customer}".encode(),
            "headers": headers,
            "client": (peer, 40000),
            "subprotocols": [],
            "user": user or AnonymousUser(),
        }
        self.line = ApplicationCommunicator(URLRouter(websocket_urlpatterns), scope)

    async def open(self) -> Page:
        await self.line.send_input({"type": "websocket.connect"})
        assert (await self.line.receive_output())["type"] == "websocket.accept"
        return self

    async def hear(self) -> Any:
        return json.loads((await self.line.receive_output())["text"])

    async def close(self) -> None:
        await self.line.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.line.wait()


async def opened(customer: object, user: object = None) -> Page:
    page = await Page(customer, user).open()
    assert await page.hear() == {"type": "ready"}
    return page


def in_event_loop(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())


def test_a_page_hears_of_its_own_customer_only(follower: Follower) -> None:
    async def story() -> None:
        mine, other = await opened(follower.pk), await opened(follower.pk + 1)
        await database_sync_to_async(phone.show_own)(follower, "怎么退货")
        event = await mine.hear()
        assert event["type"] == "bubble"
        assert event["bubble"]["pieces"] == [{"text": "怎么退货"}]
        assert await other.line.receive_nothing()
        await mine.close()
        await other.close()

    in_event_loop(story)


def test_every_page_hears_of_a_switch(follower: Follower) -> None:
    async def story() -> None:
        page = await opened(follower.pk)
        await database_sync_to_async(switch)("slow_network", True)
        event = await page.hear()
        assert event["account"]["faults"]["slow_network"] is True
        await page.close()

    in_event_loop(story)


async def is_turned_away(page: Page) -> None:
    await page.open()
    closed = await page.line.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", NOT_ALLOWED)


def test_elsewhere_strangers_are_turned_away(settings: Any, follower: Follower) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    in_event_loop(lambda: is_turned_away(Page(follower.pk)))


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("198.51.100.1", LOCAL),
        ("127.0.0.1", ((b"host", b"shop.example.com"),)),
        ("127.0.0.1", (*LOCAL, (b"ngrok-trace-id", b"x"))),
        ("127.0.0.1", (*LOCAL, (b"X-Forwarded-Host", b"shop.example.com"))),
    ],
)
def test_the_world_is_turned_away_whatever_the_settings_say(
    peer: str, headers: Headers, follower: Follower
) -> None:
    in_event_loop(lambda: is_turned_away(Page(follower.pk, peer=peer, headers=headers)))


def test_staff_without_the_permission_are_turned_away(settings: Any, follower: Follower) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    staff = User.objects.create_user("liming", is_staff=True)
    in_event_loop(lambda: is_turned_away(Page(follower.pk, staff)))


def test_elsewhere_staff_listen(settings: Any, follower: Follower) -> None:
    settings.SIMULATOR_NEEDS_LOGIN = True
    staff = User.objects.create_user("liming", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="use_simulator"))

    async def story() -> None:
        page = await opened(follower.pk, staff)
        await page.close()

    in_event_loop(story)


@pytest.mark.parametrize("customer", ["", "x", "-1", "１", "1;drop"])
def test_a_strange_address_hears_the_common_news_only(customer: str, db: None) -> None:
    async def story() -> None:
        page = await opened(customer)
        await database_sync_to_async(switch)("slow_network", True)
        assert (await page.hear())["type"] == "account"
        await page.close()

    in_event_loop(story)


def test_the_phone_works_while_redis_is_away(
    follower: Follower, settings: Any, monkeypatch: Any
) -> None:
    class Away:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            raise ConnectionError("no redis")

    monkeypatch.setattr(live, "get_channel_layer", Away)
    assert phone.show_own(follower, "在吗").pk
