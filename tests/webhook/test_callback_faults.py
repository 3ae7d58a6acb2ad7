"""The callback while the database, Redis or a row fails: WeChat reads something, or nothing and
comes again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError

from conversations import session
from conversations.models import Ending, Hold, Message, MessageState, Reply, ReplyState
from conversations.replies import wakes
from tests.faqs import HOURS, RETURNS
from tests.knowledge.builders import absent_redis
from tests.services.process import wait_until
from tests.webhook.customer import LOOK_LINK, Customer, stored, worker_answers
from tests.webhook.turns import UNKNOWN
from tests.webhook.wire import Answer, Wire
from tests.worlds.api_stub import ApiStub
from tests.worlds.model_stub import ModelStub
from tests.worlds.poster import plain, sealed
from tests.worlds.pushes import event_xml, text_xml
from webhook import script
from webhook.group_commit import GroupCommit
from wechat import accounts
from wechat.models import OfficialAccount

pytestmark = pytest.mark.usefixtures("shop")

SORRY = "系统繁忙，请稍后再发一次。"


class Writer:
    """One of the door's writers, with a fault in front of it."""

    def __init__(self, group: GroupCommit[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self._write = group._write
        self.error: Exception | None = None
        self.only_for = ""
        self.gate = threading.Event()
        self.gate.set()
        monkeypatch.setattr(group, "_write", self)

    def __call__(self, jobs: Sequence[Any], latest: float) -> Sequence[Any]:
        self.gate.wait(20)
        if self.error is not None and any(self.only_for in repr(job) for job in jobs):
            raise self.error
        return self._write(jobs, latest)

    def fail(self, error: Exception, *, only_for: str = "") -> None:
        self.error, self.only_for = error, only_for


@pytest.fixture
def storing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    writer = Writer(wire.door._store, monkeypatch)
    yield writer
    writer.gate.set()


@pytest.fixture
def claiming(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    writer = Writer(wire.door._finish, monkeypatch)
    yield writer
    writer.gate.set()


def away() -> OperationalError:
    return OperationalError(2002, "Can't connect to server")


def old() -> int:
    """The time of a push that comes for the last time."""
    return int(time.time()) - 10


class TestTheDatabaseIsAway:
    def test_a_push_is_stored_when_it_is_back_in_time(self, ask: Customer, storing: Writer) -> None:
        storing.fail(away())
        delivery = ask.wire.start(ask.push(RETURNS[0]))
        time.sleep(0.1)
        storing.error = None
        assert ask.cut_in_time(delivery) == RETURNS[1]

    @pytest.mark.usefixtures("short_times")
    def test_wechat_gets_no_answer_and_comes_again(self, ask: Customer, storing: Writer) -> None:
        request = ask.push(RETURNS[0])
        storing.fail(away())
        assert ask.deliver(request) is None
        storing.error = None
        assert ask.deliver(request) == RETURNS[1]
        assert Message.objects.get().deliveries == 1

    @pytest.mark.usefixtures("short_times")
    def test_the_last_delivery_reads_a_sorry(
        self, ask: Customer, storing: Writer, caplog: pytest.LogCaptureFixture
    ) -> None:
        storing.fail(away())
        assert ask.deliver(ask.push(RETURNS[0], created=old())) == SORRY
        assert not Message.objects.exists()
        assert any("was not stored" in line for line in caplog.messages)

    @pytest.mark.usefixtures("short_times")
    def test_the_sorry_is_sealed_where_the_push_was(self, ask: Customer, storing: Writer) -> None:
        storing.fail(away())
        answer = ask.wire.send(sealed(ask.account, text_xml(RETURNS[0], created=old())))
        assert answer is not None
        assert b"<Encrypt>" in answer.body

    @pytest.mark.usefixtures("short_times")
    def test_nobody_is_told_sorry_for_having_opened_the_chat(
        self, ask: Customer, storing: Writer
    ) -> None:
        storing.fail(away())
        location = event_xml(
            "LOCATION", "<Latitude>31.2</Latitude><Longitude>121.4</Longitude>", created=old()
        )
        assert ask.deliver(plain(ask.account, location)) == "success"

    @pytest.mark.usefixtures("short_times")
    def test_a_database_that_says_nothing_at_all_holds_no_request_up(
        self, ask: Customer, storing: Writer
    ) -> None:
        storing.gate.clear()
        assert ask.deliver(ask.push(RETURNS[0], created=old())) == SORRY

    @pytest.mark.usefixtures("short_times")
    def test_who_was_told_sorry_is_not_stored_afterwards(
        self, ask: Customer, storing: Writer
    ) -> None:
        storing.gate.clear()
        assert ask.deliver(ask.push(RETURNS[0], created=old())) == SORRY
        storing.gate.set()
        assert ask.write(HOURS[0]) == HOURS[1]
        assert Message.objects.get().text == HOURS[0]

    @pytest.mark.usefixtures("short_times")
    def test_a_reply_that_cannot_be_claimed_is_carried_by_the_next_delivery(
        self, ask: Customer, claiming: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wakes, "_here", None)
        request = ask.push(RETURNS[0])
        claiming.fail(away())
        assert ask.deliver(request) is None
        assert Reply.objects.get().state == ReplyState.READY
        claiming.error = None
        assert ask.deliver(request) == RETURNS[1]

    @pytest.mark.usefixtures("short_times")
    def test_the_last_delivery_reads_the_link_when_its_reply_cannot_be_claimed(
        self, ask: Customer, claiming: Writer, model_is_configured: None
    ) -> None:
        claiming.fail(away())
        assert LOOK_LINK in (ask.deliver(ask.push(UNKNOWN, created=old())) or "")

    @pytest.mark.usefixtures("short_times")
    def test_the_link_that_could_not_be_claimed_is_noted_afterwards_and_brings_the_answer(
        self, ask: Customer, claiming: Writer, model_is_configured: None
    ) -> None:
        claiming.gate.clear()
        link = ask.deliver(ask.push(UNKNOWN, created=old()))
        claiming.gate.set()
        wait_until(lambda: stored().passive_text == link, what="the link is noted")
        worker_answers(ModelStub("不支持比特币。"))
        assert Reply.objects.get().state == ReplyState.WAITING_FOR_CUSTOMER
        assert ask.write("查看回复") == "不支持比特币。"

    @pytest.mark.usefixtures("short_times")
    def test_an_answer_that_nobody_read_does_not_count_as_sent(
        self, ask: Customer, claiming: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wakes, "_here", None)
        claiming.gate.clear()
        assert LOOK_LINK in (ask.deliver(ask.push(RETURNS[0], created=old())) or "")
        claiming.gate.set()
        wait_until(
            lambda: Reply.objects.exclude(state=ReplyState.READY).exists(),
            what="the reply's state is noted",
        )
        assert Reply.objects.get().state == ReplyState.WAITING_FOR_CUSTOMER
        assert ask.write("查看回复") == RETURNS[1]

    @pytest.mark.usefixtures("short_times")
    def test_a_verified_accounts_success_is_noted_afterwards_and_the_api_brings_the_answer(
        self,
        wire: Wire,
        api: OfficialAccount,
        claiming: Writer,
        model_is_configured: None,
        wechat: ApiStub,
    ) -> None:
        claiming.gate.clear()
        assert Customer(wire, api).write(UNKNOWN) == "success"
        claiming.gate.set()
        wait_until(lambda: stored().hold == Hold.RELEASED, what="the release is noted")
        worker_answers(ModelStub("不支持比特币。"))
        assert wechat.texts == ["不支持比特币。"]

    @pytest.mark.usefixtures("short_times")
    def test_a_verified_account_gets_success_when_the_release_cannot_be_written(
        self, wire: Wire, api: OfficialAccount, claiming: Writer, model_is_configured: None
    ) -> None:
        claiming.fail(away())
        assert Customer(wire, api).write(UNKNOWN) == "success"
        row = Message.objects.get()
        assert (row.ended_with, row.state) == (Ending.OPEN, MessageState.RECEIVED)

    @pytest.mark.usefixtures("short_times")
    def test_a_process_that_never_saw_the_accounts_lets_wechat_come_again(
        self, ask: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def unknown(slug: str | None) -> None:
            raise accounts.AccountsUnknown("the accounts could not be read yet")

        request = ask.push(RETURNS[0])
        with monkeypatch.context() as patch:
            patch.setattr(accounts, "cached", unknown)
            assert ask.deliver(request) is None
        assert ask.deliver(request) == RETURNS[1]


class TestABadRow:
    def test_only_its_own_request_fails(
        self, wire: Wire, api: OfficialAccount, storing: Writer
    ) -> None:
        storing.fail(IntegrityError("a bad row"), only_for="坏的那一条")
        storing.gate.clear()
        good = [
            wire.start(plain(api, text_xml(RETURNS[0], openid=f"o{number}")))
            for number in range(39)
        ]
        bad = wire.start(plain(api, text_xml("坏的那一条")))
        storing.gate.set()
        answer = bad.answer()
        assert answer is not None
        assert answer.text == SORRY
        assert {self.status(delivery.answer()) for delivery in good} == {200}
        assert Message.objects.count() == 39

    @pytest.mark.parametrize(
        "error",
        [IntegrityError("no"), KeyError("a bug"), UnicodeEncodeError("utf-8", "x", 0, 1, "no")],
    )
    def test_wechat_always_reads_something(
        self, wire: Wire, api: OfficialAccount, storing: Writer, error: Exception
    ) -> None:
        storing.fail(error)
        answer = wire.send(plain(api, text_xml(RETURNS[0])))
        assert answer is not None
        assert answer.text == SORRY

    def test_the_writer_goes_on(self, wire: Wire, api: OfficialAccount, storing: Writer) -> None:
        storing.fail(KeyError("a bug"))
        wire.send(plain(api, text_xml(RETURNS[0])))
        storing.error = None
        answer = wire.send(plain(api, text_xml(RETURNS[0])))
        assert answer is not None
        assert answer.text == RETURNS[1]

    @staticmethod
    def status(answer: Answer | None) -> int:
        return 0 if answer is None else answer.status


class TestRedisIsAway:
    @pytest.fixture(autouse=True)
    def _away(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (script, session, wakes):
            monkeypatch.setattr(module, "redis", absent_redis)

    @pytest.mark.usefixtures("short_times")
    def test_a_verified_accounts_push_is_stored_and_acknowledged(
        self, wire: Wire, api: OfficialAccount, model_is_configured: None
    ) -> None:
        assert Customer(wire, api).write(UNKNOWN) == "success"
        assert Message.objects.get().state == MessageState.RECEIVED

    def test_what_needs_no_model_is_answered_all_the_same(self, ask: Customer) -> None:
        assert ask.write(RETURNS[0]) == RETURNS[1]

    def test_an_answer_from_another_process_is_found_without_a_wake(
        self, ask: Customer, model_is_configured: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wakes, "_here", None)
        delivery = ask.wire.start(ask.push(UNKNOWN))
        worker_answers(ModelStub("不支持比特币。"))
        assert ask.cut_in_time(delivery) == "不支持比特币。"


@pytest.mark.usefixtures("short_times")
def test_a_message_that_cannot_be_answered_here_is_left_to_the_sweep(
    wire: Wire,
    api: OfficialAccount,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def bug(*arguments: object, **values: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("webhook.flow.reply", bug)
    assert Customer(wire, api).write(RETURNS[0]) == "success"
    wait_until(wire.is_idle, what="the thread is done")
    assert any("could not be answered here" in line for line in caplog.messages)
    assert Message.objects.get().state == MessageState.ANSWERING


@pytest.mark.usefixtures("short_times")
def test_too_many_answers_at_once_are_left_to_the_sweep(
    wire: Wire, api: OfficialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.door.MAX_WAITING_FOR_THREAD", 0)
    assert Customer(wire, api).write(RETURNS[0]) == "success"
    assert Message.objects.get().state == MessageState.RECEIVED
