"""How many requests Django works on at once, seen from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from wechatbot.web.admission import (
    LARGE_BODY,
    MAX_FILES,
    MAX_LARGE_BODIES,
    MAX_LOGINS,
    MAX_REQUESTS,
    MAX_UNFINISHED_BYTES,
    Admission,
)

Event = dict[str, Any]


class SlowPages:
    """An application as Django is one: it reads the whole request, then works until it is told to
    end.
    """

    def __init__(self) -> None:
        self.at_work = 0
        self.may_end = asyncio.Event()

    async def __call__(
        self, scope: Event, receive: Callable[[], Awaitable[Event]], send: Any
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        self.at_work += 1
        await self.may_end.wait()
        self.at_work -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})


class Client:
    def __init__(
        self,
        path: str,
        *,
        method: str = "GET",
        language: str = "",
        body: tuple[bytes, ...] = (b"",),
    ) -> None:
        headers = [(b"accept-language", language.encode())]
        self.scope = {"type": "http", "path": path, "method": method, "headers": headers}
        self.sent: list[Event] = []
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        for number, piece in enumerate(body, start=1):
            self.says(piece, more_body=number < len(body))

    def says(self, piece: bytes, *, more_body: bool) -> None:
        self._events.put_nowait({"type": "http.request", "body": piece, "more_body": more_body})

    async def receive(self) -> Event:
        return await self._events.get()

    async def send(self, event: Event) -> None:
        self.sent.append(event)

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def words(self) -> str:
        return self.sent[1]["body"].decode()

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


class Site:
    def __init__(self) -> None:
        self.pages = SlowPages()
        self.door = Admission(self.pages, static_url="/static/")
        self._tasks: list[asyncio.Task[None]] = []

    async def visit(self, *clients: Client) -> None:
        """All of them come, and as much happens as can before somebody is done."""
        visits = [self.door(client.scope, client.receive, client.send) for client in clients]
        self._tasks += [asyncio.create_task(visit) for visit in visits]
        for _ in range(20):
            await asyncio.sleep(0)

    async def end(self) -> None:
        self.pages.may_end.set()
        await asyncio.gather(*self._tasks)


def test_who_finds_no_place_is_told_so_at_once_and_kindly() -> None:
    async def story() -> None:
        site = Site()
        await site.visit(*(Client("/admin/") for _ in range(MAX_REQUESTS)))
        late, foreigner = Client("/admin/"), Client("/admin/", language="en-US,en;q=0.9")

        await site.visit(late, foreigner)

        assert site.pages.at_work == MAX_REQUESTS
        assert late.status == foreigner.status == 429
        assert late.headers[b"retry-after"] == b"3"
        assert "请过几秒再试" in late.words
        assert "Please try again" in foreigner.words
        await site.end()

    asyncio.run(story())


def test_a_place_is_free_again_when_its_page_is_done() -> None:
    async def story() -> None:
        site = Site()
        await site.visit(*(Client("/admin/") for _ in range(MAX_REQUESTS)))
        await site.end()
        next_one = Client("/admin/")

        await site.visit(next_one)

        assert next_one.status == 200
        await site.end()

    asyncio.run(story())


def test_logins_take_a_quarter_of_the_places_at_most() -> None:
    async def story() -> None:
        site = Site()
        logins = [Client("/admin/login/", method="POST") for _ in range(MAX_LOGINS + 2)]
        page = Client("/admin/login/")

        await site.visit(*logins, page)

        assert [login.status for login in logins] == [None] * MAX_LOGINS + [429, 429]
        await site.end()
        assert page.status == 200

    asyncio.run(story())


def test_a_refused_login_gives_its_other_place_back() -> None:
    async def story() -> None:
        site = Site()
        await site.visit(
            *(Client("/admin/login/", method="POST") for _ in range(MAX_LOGINS + MAX_REQUESTS))
        )

        await site.visit(*(Client("/admin/") for _ in range(MAX_REQUESTS - MAX_LOGINS)))

        assert site.pages.at_work == MAX_REQUESTS
        await site.end()

    asyncio.run(story())


def test_who_sends_slowly_holds_no_place() -> None:
    async def story() -> None:
        site = Site()
        slow = [Client("/admin/", method="POST", body=()) for _ in range(MAX_REQUESTS)]
        for client in slow:
            client.says(b"a", more_body=True)
        page = Client("/admin/")

        await site.visit(*slow, page)

        assert site.pages.at_work == 1
        assert page.status is None
        for client in slow:
            client.says(b"b", more_body=False)
        await site.end()

    asyncio.run(story())


def test_few_large_bodies_come_in_at_once() -> None:
    async def story() -> None:
        site = Site()
        body = (b"a" * 60_000, b"a" * 60_000)
        uploads = [Client("/admin/", method="POST", body=body) for _ in range(MAX_LARGE_BODIES + 1)]

        await site.visit(*uploads)

        assert [upload.status for upload in uploads] == [None] * MAX_LARGE_BODIES + [429]
        await site.end()

    asyncio.run(story())


def test_bodies_without_an_end_take_no_more_than_their_room() -> None:
    async def story() -> None:
        site = Site()
        most = MAX_UNFINISHED_BYTES // LARGE_BODY
        endless = [Client("/admin/login/", method="POST", body=()) for _ in range(most + 100)]
        for client in endless:
            client.says(b"a" * LARGE_BODY, more_body=True)
        whole = Client("/admin/", method="POST", body=(b"a" * LARGE_BODY,))

        await site.visit(*endless, whole)

        assert [client.status for client in endless] == [None] * most + [429] * 100
        assert site.pages.at_work == 1  # The form that came whole needs no room.
        for client in endless[:most]:
            client.says(
                b"a", more_body=True
            )  # Large now: eight have a place, the others are sent away.
        await site.visit()
        again = [Client("/admin/", method="POST", body=()) for _ in range(most)]
        for client in again:
            client.says(b"a" * LARGE_BODY, more_body=True)
        await site.visit(*again)
        assert {client.status for client in again} == {None}
        for client in (*endless[:MAX_LARGE_BODIES], *again):
            client.says(b"", more_body=False)
        await site.end()

    asyncio.run(story())


def test_files_of_a_page_wait_for_each_other_and_come_all() -> None:
    async def story() -> None:
        site = Site()
        files = [Client("/static/common/icon.svg") for _ in range(MAX_FILES + 10)]

        await site.visit(*files)
        working = site.pages.at_work
        await site.end()

        assert working == MAX_FILES
        assert {file.status for file in files} == {200}

    asyncio.run(story())
