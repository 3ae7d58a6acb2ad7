"""The callback of WeChat: an ASGI endpoint beside Django, because it holds thousands of requests
for seconds.

Verify, store, acknowledge, then think: nothing here asks a model, and whatever happens WeChat gets
a body that it can read or, where a repeat is wanted, none at all before it cuts the connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import MutableMapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from conversations.replies.passive import Fetch, Phase, thinking_text
from conversations.replies.wording import ready_words
from conversations.saying import Saying
from webhook import metrics, refusals
from webhook.door import Door
from webhook.group_commit import CannotBeWritten, NotWritten
from webhook.http import (
    FORBIDDEN,
    NOT_FOUND,
    SUCCESS,
    Receive,
    Response,
    Scope,
    Send,
    query_of,
    read_body,
    request_id_of,
    write,
)
from webhook.intake import Taken, Verdict, too_many_status
from webhook.opening import (
    LAST_DELIVERY,
    LAST_FETCH_SECONDS,
    PLAIN_REFUSED,
    Delivery,
    check_caller,
    handshake,
    open_delivery,
    push_of,
)
from webhook.waiting import Waiter
from wechat import accounts
from wechat.traits import Expects

logger = logging.getLogger(__name__)

# Beyond LAST_FETCH_SECONDS, for the fetch that ends a hold: it begins when they are over.
LAST_FETCH_GRACE_SECONDS = 0.2
STORE_SECONDS = 4.2
# After WeChat's own cut nobody reads any more; a client that stays longer is not WeChat.
GIVE_UP_SECONDS = 8.0


class Callback:
    """`/wechat` and `/wechat/<slug>`, with and without a trailing slash."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = asyncio.get_running_loop().time()
        response = await self.respond(scope, receive, arrived)
        took = asyncio.get_running_loop().time() - arrived
        metrics.count(scope["method"], response, took)
        if response is not None:
            await write(send, response)

    async def respond(self, scope: Scope, receive: Receive, arrived: float) -> Response | None:
        """None: the client has gone."""
        try:
            account = await accounts.cached(
                scope["path"].removeprefix("/wechat").strip("/") or None
            )
        except accounts.AccountsUnknown as error:
            logger.error("push not opened, WeChat delivers it again: %s", error)
            return (
                None if await read_body(receive) is None else await _wait_for_cut(receive, arrived)
            )
        if account is None:
            return NOT_FOUND
        query = query_of(scope)
        if scope["method"] == "GET":
            return handshake(account, query)
        if scope["method"] != "POST":
            return Response(405, b"method not allowed", headers=((b"allow", b"GET, POST"),))
        # From the query alone: a stranger gets none of his body read.
        caller = check_caller(account, query, arrived, request_id_of(scope))
        if isinstance(caller, Response):
            return caller
        body = await read_body(receive)
        if body is None:
            return None
        delivery = open_delivery(caller, body)
        del query, caller, body  # Thousands of requests are held at the same time.
        if delivery is PLAIN_REFUSED:
            self.door.note_refused_plain(account.account_id)
        return delivery if isinstance(delivery, Response) else await self._take(delivery, receive)

    async def _take(self, delivery: Delivery, receive: Receive) -> Response | None:
        """Store it, then answer it. A request waits before anybody is asked for its answer."""
        push = push_of(delivery)
        try:
            taken = await self.door.take_in(push, delivery.arrived + STORE_SECONDS)
        except NotWritten as error:
            return await self._not_stored(delivery, receive, error)
        except CannotBeWritten as error:
            logger.error("a push of account %s could not be stored: %s", push.account_id, error)
            return _sorry(delivery)
        if taken.verdict is Verdict.FORGED:
            refusals.note(delivery.account.slug, "push refused: another body behind its signature")
            return FORBIDDEN
        if taken.verdict is Verdict.NOT_KEPT:
            return SUCCESS
        if taken.verdict is Verdict.TOO_MANY:
            return _too_many(taken)
        if taken.began_earlier:
            # WeChat cuts the connection that it opened then, whoever answers it now.
            delivery = replace(delivery, arrived=delivery.arrived - taken.began_earlier)
        with (
            nullcontext() if taken.ended else self.door.waiters.waiting(taken.message_id) as waiter
        ):
            if taken.to_answer:
                self.door.answer(
                    push if push.id == taken.message_id else replace(push, id=taken.message_id)
                )
            del push
            if waiter is None:
                return delivery.reply(taken.passive_text)
            return await self._hold(delivery, taken, waiter, receive)

    async def _hold(
        self, delivery: Delivery, taken: Taken, waiter: Waiter, receive: Receive
    ) -> Response | None:
        """Hold the connection until the reply is there or the time is up."""
        loop = asyncio.get_running_loop()
        deadline = delivery.arrived + delivery.hold_seconds
        gone = asyncio.ensure_future(receive())
        if taken.verdict is Verdict.REPEAT:
            waiter.wake()
        try:
            while (left := deadline - loop.time()) > 0:
                await asyncio.wait(
                    (gone, waiter.future), timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
                if gone.done():
                    return None
                if waiter.future.done():
                    known = waiter.future.result()
                    if known is not None:
                        return delivery.reply(known)
                    waiter.rearm(loop)
                    response = await self._fetch(delivery, taken, "look")
                    if response is not None:
                        return response
            return await self._time_is_up(delivery, taken, waiter, gone)
        finally:
            gone.cancel()

    async def _time_is_up(
        self,
        delivery: Delivery,
        taken: Taken,
        waiter: Waiter,
        gone: asyncio.Future[MutableMapping[str, Any]],
    ) -> Response | None:
        if delivery.route.calls_wechat:
            return await self._fetch(delivery, taken, "release") or self._tell(
                delivery, taken, waiter, ""
            )
        if taken.deliveries >= LAST_DELIVERY or delivery.is_old:
            text = thinking_text(delivery.account.account_id)
            return await self._fetch(delivery, taken, "last") or self._tell(
                delivery, taken, waiter, text
            )
        return await _until_cut(gone, delivery.arrived)

    def _tell(self, delivery: Delivery, taken: Taken, waiter: Waiter, text: str) -> Response:
        """The database is too slow to decide in time. What we say without it is noted when it can
        be, so that a tap finds the answer and no text counts as read that nobody read; a reply
        handed over meanwhile is noted already.
        """
        handed_over = waiter.future.result() if waiter.future.done() else None
        if handed_over is not None:
            return delivery.reply(handed_over)
        self.door.record(Fetch(taken.message_id, "told", text))
        return delivery.reply(text)

    async def _fetch(self, delivery: Delivery, taken: Taken, phase: Phase) -> Response | None:
        """None: no reply yet, or the database is away; the row then stays as it is for the next
        look or delivery.
        """
        deadline = (
            delivery.arrived
            + LAST_FETCH_SECONDS
            + (0 if phase == "look" else LAST_FETCH_GRACE_SECONDS)
        )
        if asyncio.get_running_loop().time() >= deadline:
            return None
        try:
            reply = await self.door.fetch_reply(Fetch(taken.message_id, phase), deadline)
        except (NotWritten, CannotBeWritten) as error:
            logger.warning(
                "message %s: its reply could not be fetched: %s", taken.message_id, error
            )
            return None
        if reply.deliver is not None:
            self.door.queue_task(("deliver", reply.deliver))
        return None if reply.text is None else delivery.reply(reply.text)

    async def _not_stored(
        self, delivery: Delivery, receive: Receive, error: NotWritten
    ) -> Response | None:
        """The message was not accepted. WeChat repeats only what gets no answer: none but the last
        gets one.
        """
        logger.error("a push of account %s was not stored: %s", delivery.account.account_id, error)
        if delivery.is_old:
            return _sorry(delivery)
        return await _wait_for_cut(receive, delivery.arrived)


def _sorry(delivery: Delivery) -> Response:
    """The words for who sent something. Who did nothing that asks for an answer reads none."""
    if delivery.incoming.traits.expects is not Expects.ANSWER:
        return SUCCESS
    return delivery.reply(ready_words(Saying("storing_failed"), delivery.account.account_id))


async def _wait_for_cut(receive: Receive, arrived: float) -> Response | None:
    gone = asyncio.ensure_future(receive())
    try:
        return await _until_cut(gone, arrived)
    finally:
        gone.cancel()


async def _until_cut(
    gone: asyncio.Future[MutableMapping[str, Any]], arrived: float
) -> Response | None:
    """Say nothing until WeChat cuts the connection, so that it delivers the push once more."""
    left = arrived + GIVE_UP_SECONDS - asyncio.get_running_loop().time()
    await asyncio.wait((gone,), timeout=max(left, 0))
    return None if gone.done() else Response(503, b"")


def _too_many(taken: Taken) -> Response:
    if too_many_status() == 200:
        return SUCCESS
    return Response(
        too_many_status(), headers=((b"retry-after", str(taken.seconds_left).encode()),)
    )
