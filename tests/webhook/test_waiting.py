"""Requests that wait: each is woken by its own message, and none is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from django.db import OperationalError

from common.redis import redis
from conversations.models import Message, MessageState
from conversations.replies import wakes
from tests.factories import MessageFactory
from tests.knowledge.builders import absent_redis
from webhook import waiting
from webhook.waiting import Waiters, answered_among, listen

WAIT = 10


def on_a_loop(story: Callable[[Waiters], Awaitable[None]]) -> None:
    async def live() -> None:
        waiters = Waiters()
        waiters.bind(asyncio.get_running_loop())
        await story(waiters)

    asyncio.run(live())


def test_a_wake_reaches_all_who_wait_for_the_message_and_nobody_else() -> None:
    async def story(waiters: Waiters) -> None:
        with waiters.waiting(7) as first, waiters.waiting(7) as second, waiters.waiting(8) as other:
            waiters.wake(7)
            assert [waiter.future.done() for waiter in (first, second, other)] == [
                True,
                True,
                False,
            ]

    on_a_loop(story)


def test_a_request_may_be_woken_again_after_an_idle_wake() -> None:
    async def story(waiters: Waiters) -> None:
        with waiters.waiting(7) as waiter:
            waiters.wake(7)
            waiters.wake(7)
            waiter.rearm(asyncio.get_running_loop())
            assert not waiter.future.done()
            waiters.wake(7)
            assert waiter.future.done()

    on_a_loop(story)


def test_nothing_is_left_of_requests_that_left() -> None:
    async def story(waiters: Waiters) -> None:
        with waiters.waiting(7):
            with pytest.raises(asyncio.CancelledError), waiters.waiting(7):
                raise asyncio.CancelledError
            assert len(waiters) == 1
            assert waiters.is_waiting_here(7)
        assert len(waiters) == 0
        assert waiters.message_ids() == []
        assert not waiters.is_waiting_here(7)

    on_a_loop(story)


def test_a_thread_hears_whether_somebody_waits_here() -> None:
    async def story(waiters: Waiters) -> None:
        with waiters.waiting(7) as waiter:
            assert not await asyncio.to_thread(waiters.wake_from_thread, 8)
            assert await asyncio.to_thread(waiters.wake_from_thread, 7, "七天内可以。")
            assert await asyncio.wait_for(waiter.future, WAIT) == "七天内可以。"

    on_a_loop(story)


def test_a_wake_of_another_process_comes_through_redis() -> None:
    async def story(waiters: Waiters) -> None:
        with waiters.waiting(7) as waiter:
            subscription = asyncio.create_task(listen(waiters))
            while not waiter.future.done():  # Until it has subscribed, a wake goes past it.
                await asyncio.to_thread(redis().publish, wakes.WAKE_CHANNEL, 7)
                await asyncio.sleep(0.01)
            assert waiter.future.result() is None
            subscription.cancel()

    on_a_loop(lambda waiters: asyncio.wait_for(story(waiters), WAIT))


def test_the_subscription_survives_nonsense_and_a_cut_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "RECONNECT_PAUSE", 0.01)

    async def story(waiters: Waiters) -> None:
        with waiters.waiting(7) as waiter:
            subscription = asyncio.create_task(listen(waiters))
            for break_it in (
                lambda: redis().publish(wakes.WAKE_CHANNEL, "no id"),
                redis_forgets_its_clients,
            ):
                while not await asyncio.to_thread(subscribers):
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(break_it)
            while not waiter.future.done():
                await asyncio.to_thread(redis().publish, wakes.WAKE_CHANNEL, 7)
                await asyncio.sleep(0.01)
            subscription.cancel()

    on_a_loop(lambda waiters: asyncio.wait_for(story(waiters), WAIT))


def subscribers() -> int:
    return sum(count for _channel, count in redis().pubsub_numsub(wakes.WAKE_CHANNEL))


def redis_forgets_its_clients() -> None:
    redis().client_kill_filter(_type="pubsub")


def test_a_wake_without_redis_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakes, "redis", absent_redis)
    wakes.wake(7)


@pytest.mark.django_db
def test_the_regular_look_finds_what_was_answered_and_nothing_else() -> None:
    answered = MessageFactory(state=MessageState.ANSWERED)
    handed_over = MessageFactory(state=MessageState.HANDED_OVER)
    still_open = [MessageFactory(), MessageFactory(state=MessageState.ANSWERING)]
    asked = [message.pk for message in (answered, handed_over, *still_open)]
    assert sorted(answered_among(asked)) == sorted([answered.pk, handed_over.pk])


@pytest.mark.django_db
def test_the_regular_look_goes_on_without_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**which: object) -> None:
        raise OperationalError(2002, "no connection")

    monkeypatch.setattr(Message.objects, "filter", away)
    monkeypatch.setattr(waiting.connection, "close", lambda: None)
    assert answered_among([1, 2]) == []
