"""Two hosts, one of them with a wrong clock: nothing waits for it, nothing is paid twice.

The second host's web process, worker and sweep run under `wrong_clock`; the database is on neither.
"""

from __future__ import annotations

import json
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services import wrong_clock
from tests.services.mariadb import PrivateMariaDB
from tests.system.shop import FAQ_ANSWER, MODEL_ANSWER, QUESTION, Phone, Shop

pytestmark = [
    pytest.mark.system,
    pytest.mark.mariadb,
    pytest.mark.compiler,
    pytest.mark.once,
    pytest.mark.timeout(300),
]

# Far more than anything here takes: what waits for a clock waits past every limit below.
SKEW = 400
RIGHT, WRONG = 0, 1
OF_THE_WRONG_HOST = ("web1", "worker1", "deliver")


@pytest.fixture(scope="module", params=[SKEW, -SKEW], ids=["ahead", "behind"])
def skew(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def _shop(skew: int) -> Iterator[Shop]:
    with tempfile.TemporaryDirectory(prefix="wb-db-") as folder:
        wrong = wrong_clock.clock_ahead_by(skew, Path(folder))
        server = PrivateMariaDB(Path(folder))
        with Shop(
            webs=2,
            workers=2,
            mariadb=server,
            environment={"HOLD_SECONDS": "1"},
            own_environments=dict.fromkeys(OF_THE_WRONG_HOST, wrong),
        ) as shop:
            yield shop


def readiness(shop: Shop, web: int) -> Any:
    with urllib.request.urlopen(f"{shop.bases[web]}/readyz", timeout=10) as answer:
        assert answer.status == 200
        return json.load(answer)


def test_readyz_names_whose_clock_it_is(shop: Shop, skew: int) -> None:
    shop.wait_until(
        lambda: set(readiness(shop, RIGHT).get("skewed_clocks", ())) == {"worker", "deliver"}, 30
    )
    clocks = readiness(shop, WRONG)["skewed_clocks"]
    assert clocks == pytest.approx(dict.fromkeys(("web", "worker", "deliver"), skew), abs=3)


@pytest.mark.parametrize("holder", [RIGHT, WRONG])
def test_a_message_that_a_worker_holds_is_asked_once(shop: Shop, holder: int) -> None:
    other = 1 - holder
    shop.model.behave("when told")
    shop.workers[other].kill()
    phone, question = shop.phone("verified", "oHeld"), "给我讲讲你们的历史"
    assert phone.say(question).acknowledged
    shop.wait_until(lambda: shop.model.calls == 1, 60, "the model is asked")
    shop.workers[other].start()

    for web in (RIGHT, WRONG):
        phone.deliver(phone.side.text(phone.openid, QUESTION), web=web)
    forgotten = shop.phone("verified", "oForgotten")
    for _ in range(3):
        shop.wait_for_sweep(forgotten)
    (held,) = [message for message in phone.messages if message.text == question]
    assert (held.state, held.attempt) == ("answering", 1)

    shop.model.manner.may_speak.set()
    shop.wait_until(lambda: phone.read.count(FAQ_ANSWER) == 2, 60, "all three are answered")
    assert phone.read.count(MODEL_ANSWER) == 1
    assert shop.model.calls == 1


def test_the_parts_of_an_answer_follow_each_other(shop: Shop) -> None:
    """The first by the worker, the others by the wrong host's deliveries."""
    shop.model.manner.answer = "".join(f"第{n:02d}句：{'很长的一句话' * 12}。" for n in range(20))
    phone = shop.phone("verified", "oParts")
    shop.model.behave("when told")
    assert phone.say("给我讲讲你们的历史").acknowledged
    shop.model.manner.may_speak.set()

    shop.wait_until(lambda: len(phone.read) == 3, 60, "all three parts are sent")
    assert {reply.state for reply in phone.replies} == {"sent"}


def test_a_text_that_was_refused_is_tried_again_soon(shop: Shop) -> None:
    """Its pause is of two seconds, whoever wrote it and whoever ends it."""
    phone = shop.phone("verified", "oTriedAgain")
    shop.model.behave("when told")
    assert phone.say("给我讲讲你们的历史").acknowledged
    shop.wechat.answers.append({"errcode": -1, "errmsg": "system error"})
    shop.model.manner.may_speak.set()

    phone.wait_to_read(MODEL_ANSWER, 60)
    assert phone.reply.tries == 2


@pytest.mark.parametrize("web", [RIGHT, WRONG])
def test_the_first_delivery_to_an_unverified_account_is_not_taken_for_the_last(
    shop: Shop, web: int
) -> None:
    shop.model.behave("when told")
    phone = shop.phone("unverified", "oNotLast")
    push = phone.side.text(phone.openid, "给我讲讲你们的历史")

    assert phone.deliver(push, web=web).status is None
    assert phone.deliver(push, web=web).status is None
    assert "查看" in (phone.text_of(phone.deliver(push, web=web)) or "")


@pytest.mark.parametrize("web", [RIGHT, WRONG])
def test_a_push_whose_first_deliveries_went_astray_is_answered_at_its_last(
    shop: Shop, web: int
) -> None:
    shop.model.behave("when told")
    phone = shop.phone("unverified", "oAstray")
    made = int(time.time()) - 10
    push = phone.side.text(phone.openid, "给我讲讲你们的历史", created=made)

    assert "查看" in (phone.text_of(phone.deliver(push, web=web)) or "")


@pytest.mark.parametrize("web", [RIGHT, WRONG])
def test_a_quick_answer_is_the_passive_reply_on_both_hosts(shop: Shop, web: int) -> None:
    for kind in ("verified", "unverified"):
        phone: Phone = shop.phone(kind, f"oQuick{kind}")
        push = phone.side.text(phone.openid, QUESTION)
        assert phone.text_of(phone.deliver(push, web=web)) == FAQ_ANSWER
    assert shop.wechat.sent == []
