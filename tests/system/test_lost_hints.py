"""The database is the truth; broker and wakes are hints, and each of them may be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.system.shop import MODEL_ANSWER, QUESTION, Kind, Shop

pytestmark = pytest.mark.system


def _one_sweep(shop: Shop) -> None:
    """The only one there is: the process with beat was ended. Five seconds
    of waiting are spared.
    """
    assert not shop.deliver.is_running
    shop.rows("UPDATE conversations_message SET received_at = '2000-01-01 00:00:00'")
    shop.rows("UPDATE conversations_reply SET due_at = '2000-01-01 00:00:00' WHERE state = 'ready'")
    shop.shell(
        "from webhook.recovery import pick_up_forgotten; from webhook.tasks import queue_replies;"
        "pick_up_forgotten(queue_replies)"
    )


@pytest.fixture
def redis_refuses(shop: Shop) -> Iterator[Callable[[str], object]]:
    """As a Redis does whose disk is full, or that has become a replica."""
    yield lambda rule: shop.redis.client.execute_command("ACL", "SETUSER", "default", rule)
    shop.redis.client.execute_command("ACL", "SETUSER", "default", "+@all", "allchannels")


def _list_is_emptied(shop: Shop, queue: str) -> None:
    shop.wait_until(
        lambda: shop.redis.client.llen(queue), what=f"something is on the queue {queue}"
    )
    shop.redis.client.delete(queue)


def test_the_first_sweep_answers_what_the_broker_lost(shop: Shop) -> None:
    for process in (*shop.workers, shop.deliver):
        process.kill()
    verified, unverified = (
        shop.phone("verified", "oLostTask"),
        shop.phone("unverified", "oLostTaskToo"),
    )

    assert verified.say("给我讲讲你们的历史").acknowledged
    _list_is_emptied(shop, "reply")
    for worker in shop.workers:
        worker.start()
    assert unverified.say("给我讲讲你们的未来").text == MODEL_ANSWER
    assert verified.read == []
    _one_sweep(shop)
    verified.wait_to_read(MODEL_ANSWER)

    assert verified.read == unverified.read == [MODEL_ANSWER]
    assert shop.model.calls == 2


def test_the_first_sweep_answers_what_the_broker_did_not_take(
    shop: Shop, redis_refuses: Callable[[str], object]
) -> None:
    phone, later = shop.phone("verified", "oRefusedTask"), shop.phone("verified", "oAfterIt")
    shop.deliver.kill()

    redis_refuses("-lpush")
    assert phone.say("给我讲讲你们的历史").acknowledged
    redis_refuses("+lpush")
    _one_sweep(shop)
    phone.wait_to_read(MODEL_ANSWER)

    # And the process that was refused goes on publishing.
    assert later.say("给我讲讲你们的未来").text == MODEL_ANSWER
    assert shop.model.calls == 2


def test_the_first_sweep_queues_a_persons_text_again_whose_delivery_was_lost(shop: Shop) -> None:
    phone = shop.phone("verified", "oLostDelivery")
    phone.say("转人工")
    shop.deliver.kill()

    shop.shell(
        "from tickets.models import *; from tickets import services;"
        "services.reply(Ticket.objects.get(), Agent.objects.get(), '我是李明，请讲。')"
    )
    _list_is_emptied(shop, "deliver")
    _one_sweep(shop)
    assert shop.redis.client.llen("deliver") == 1
    shop.deliver.start()

    phone.wait_to_read("我是李明，请讲。")


@pytest.mark.parametrize("kind", ["verified", "unverified"])
def test_it_answers_although_the_wake_was_lost(
    shop: Shop, kind: Kind, redis_refuses: Callable[[str], object]
) -> None:
    phone = shop.phone(kind, "oLostWake")
    redis_refuses("resetchannels")

    outcome = phone.say("给我讲讲你们的历史")

    assert outcome.text == MODEL_ANSWER
    assert len(outcome.deliveries) == 1
    assert phone.reply.channel == "passive"
    assert shop.model.calls == 1


def test_it_needs_neither_broker_nor_worker_for_a_faq(shop: Shop) -> None:
    for worker in (*shop.workers, shop.deliver):
        worker.kill()
    phone = shop.phone("unverified", "oNoWorker")

    assert phone.say(QUESTION).text == phone.reply.text
