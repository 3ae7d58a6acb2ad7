"""Holding a push for its reply, on both kinds of account, as WeChat sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from common.redis import redis
from conversations.models import (
    Channel,
    Conversation,
    Ending,
    Hold,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import say as saying
from conversations.replies import wakes
from tests.faqs import RETURNS
from tests.services.process import wait_until
from tests.webhook.customer import LOOK_LINK, Customer, stored, worker_answers
from tests.webhook.turns import UNKNOWN
from tests.webhook.wire import Wire
from tests.worlds.api_stub import ApiStub
from tests.worlds.model_stub import ModelStub
from tests.worlds.poster import opened, plain, sealed
from tests.worlds.pushes import event_xml, message_xml, next_msg_id, text_xml
from tickets import services as tickets
from tickets.models import Agent, Ticket
from webhook import opening
from wechat.models import OfficialAccount
from wechat.replies import without_links

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody in the worker's process waits: its wakes go through Redis."""
    monkeypatch.setattr(wakes, "_here", None)


@pytest.fixture
def background() -> Iterator[Callable[..., object]]:
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit


class TestAVerifiedAccount:
    def test_a_quick_answer_is_the_passive_reply(self, write: Customer, wechat: ApiStub) -> None:
        assert write.write(RETURNS[0]) == RETURNS[1]
        row = Reply.objects.get()
        assert (row.state, row.channel) == (ReplyState.SENT, Channel.PASSIVE)
        assert redis().llen("deliver") == 0

    def test_it_is_sealed_as_its_push_was(self, wire: Wire, api: OfficialAccount) -> None:
        answer = wire.send(sealed(api, text_xml(RETURNS[0])))
        assert answer is not None
        assert answer.headers["content-type"].startswith("application/xml")
        assert opened(answer.body, api) == RETURNS[1]

    def test_it_is_sealed_with_the_key_before_where_the_push_was(
        self, wire: Wire, api: OfficialAccount
    ) -> None:
        request = sealed(api, text_xml(RETURNS[0]))
        old_key, new_key = api.aes_key, "B" * 43
        OfficialAccount.objects.filter(pk=api.pk).update(
            previous_aes_key=old_key, aes_key=new_key, aes_key_replaced_at=timezone.now()
        )
        answer = wire.send(request)
        assert answer is not None
        assert opened(answer.body, api) == RETURNS[1]

    def test_an_answer_of_the_model_in_time_is_the_passive_reply(
        self, write: Customer, model_is_configured: None, in_another_process: None
    ) -> None:
        delivery = write.wire.start(write.push(UNKNOWN))
        worker_answers(ModelStub("不支持比特币。"))
        answer = delivery.answer()
        assert answer is not None
        assert answer.text == "不支持比特币。"

    @pytest.mark.usefixtures("short_times")
    def test_a_later_answer_goes_by_the_api(
        self, write: Customer, model_is_configured: None, wechat: ApiStub
    ) -> None:
        assert write.write(UNKNOWN) == "success"
        assert Message.objects.get().hold == Hold.RELEASED
        worker_answers(ModelStub("不支持比特币。"))
        assert wechat.texts == ["不支持比特币。"]

    @pytest.mark.usefixtures("short_times")
    def test_the_model_is_asked_for_by_the_broker(
        self, write: Customer, model_is_configured: None
    ) -> None:
        write.write(UNKNOWN)
        assert redis().llen("reply") == 1

    @pytest.mark.usefixtures("short_times")
    def test_a_repeat_after_success_gets_success(
        self, write: Customer, model_is_configured: None
    ) -> None:
        request = write.push(UNKNOWN)
        assert write.deliver(request) == "success"
        assert write.deliver(request) == "success"
        assert Message.objects.get().deliveries == 2

    def test_nothing_is_held_where_the_hold_is_nothing(
        self, write: Customer, wechat: ApiStub, settings: Settings
    ) -> None:
        settings.HOLD_SECONDS = 0
        assert write.write(RETURNS[0]) == "success"
        wait_until(Reply.objects.exists, what="the answer is written")
        wait_until(lambda: redis().llen("deliver") == 1, what="the delivery is asked for")
        assert Reply.objects.get().state == ReplyState.READY

    def test_an_event_that_nobody_answers_is_acknowledged_at_once_and_noted(
        self, wire: Wire, api: OfficialAccount
    ) -> None:
        answer = wire.send(plain(api, event_xml("unsubscribe")))
        assert answer is not None
        assert answer.body == b"success"
        wait_until(
            lambda: Message.objects.get().state == MessageState.IGNORED, what="the event is noted"
        )
        assert not Conversation.objects.get().customer.subscribed

    def test_a_new_follower_is_welcomed(self, wire: Wire, api: OfficialAccount) -> None:
        answer = wire.send(plain(api, event_xml("subscribe")))
        assert answer is not None
        assert answer.text.startswith("您好，这里是小店。")

    def test_a_picture_hears_that_it_cannot_be_read(self, wire: Wire, api: OfficialAccount) -> None:
        answer = wire.send(
            plain(api, message_xml("image", "<MediaId>m</MediaId><PicUrl>u</PicUrl>"))
        )
        assert answer is not None
        assert answer.text == "暂时看不懂这类消息，请用文字描述您的问题。"

    def test_a_question_for_an_agent_ends_in_success(self, write: Customer, agent: Agent) -> None:
        write.write("转人工")
        tickets.take(Ticket.objects.get(), agent)
        assert write.write(RETURNS[0]) == "success"


class TestAnUnverifiedAccount:
    def test_an_answer_in_time_is_the_reply(self, ask: Customer) -> None:
        assert ask.write(RETURNS[0]) == RETURNS[1]

    @pytest.mark.usefixtures("short_times")
    def test_two_deliveries_are_held_until_wechat_cuts_and_the_third_says_how_to_see_the_answer(
        self, ask: Customer, model_is_configured: None
    ) -> None:
        request = ask.push(UNKNOWN)
        assert [ask.deliver(request), ask.deliver(request)] == [None, None]
        last = ask.deliver(request)
        assert last is not None
        assert LOOK_LINK in last
        row = Message.objects.get()
        assert (row.deliveries, row.ended_with) == (3, Ending.TEXT)

    @pytest.mark.usefixtures("short_times")
    def test_an_answer_that_comes_after_the_link_waits_for_the_tap(
        self, ask: Customer, model_is_configured: None
    ) -> None:
        request = ask.push(UNKNOWN, created=int(time.time()) - 10)
        assert LOOK_LINK in (ask.deliver(request) or "")
        worker_answers(ModelStub("不支持比特币。"))
        assert Reply.objects.get().state == ReplyState.WAITING_FOR_CUSTOMER
        tap = text_xml("查看回复", option_id="wechatbot-look")
        assert ask.deliver(plain(ask.account, tap)) == "不支持比特币。"

    @pytest.mark.usefixtures("short_times")
    def test_the_words_beside_the_link_bring_it_as_well(
        self, ask: Customer, model_is_configured: None
    ) -> None:
        last = ask.deliver(ask.push(UNKNOWN, created=int(time.time()) - 10))
        (words,) = re.findall("，或回复「(.+?)」", without_links(last or ""))
        worker_answers(ModelStub("不支持比特币。"))
        assert ask.write(words) == "不支持比特币。"

    @pytest.mark.usefixtures("short_times")
    def test_a_push_that_is_nine_seconds_old_will_not_come_again(
        self, ask: Customer, model_is_configured: None
    ) -> None:
        assert LOOK_LINK in (ask.deliver(ask.push(UNKNOWN, created=int(time.time()) - 9)) or "")

    @pytest.mark.parametrize("after", [1, 2])
    @pytest.mark.usefixtures("short_times")
    def test_the_next_delivery_carries_an_answer_that_came_in_between(
        self, ask: Customer, model_is_configured: None, in_another_process: None, after: int
    ) -> None:
        request = ask.push(UNKNOWN)
        for _ in range(after):
            assert ask.deliver(request) is None
        model = ModelStub("不支持比特币。")
        worker_answers(model)
        assert ask.deliver(request) == "不支持比特币。"
        assert len(model.asked) == 1

    @pytest.mark.usefixtures("short_times")
    def test_an_answer_wakes_the_delivery_that_is_open(
        self, ask: Customer, model_is_configured: None, in_another_process: None
    ) -> None:
        request = ask.push(UNKNOWN)
        assert ask.deliver(request) is None
        second = ask.wire.start(request)
        wait_until(
            lambda: Message.objects.get().deliveries == 2, what="the second delivery is open"
        )
        worker_answers(ModelStub("不支持比特币。"))
        assert ask.cut_in_time(second) == "不支持比特币。"

    def test_a_wake_that_is_lost_costs_no_answer(
        self,
        ask: Customer,
        model_is_configured: None,
        in_another_process: None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(saying, "wake", lambda message_id: None)
        delivery = ask.wire.start(ask.push(UNKNOWN))
        worker_answers(ModelStub("不支持比特币。"))
        assert ask.cut_in_time(delivery) == "不支持比特币。"

    @pytest.mark.usefixtures("short_times")
    def test_an_answer_in_the_last_moment_is_left_for_the_next_delivery(
        self, ask: Customer, model_is_configured: None, in_another_process: None
    ) -> None:
        """Nothing is claimed after the deadline: what is written too late is lost."""
        request = ask.push(UNKNOWN)
        delivery = ask.wire.start(request)
        wait_until(
            lambda: Message.objects.filter(hold_until__lt=timezone.now()).exists(),
            what="the deadline is over",
        )
        worker_answers(ModelStub("不支持比特币。"))
        assert Reply.objects.get().state == ReplyState.READY
        delivery.cut()
        assert delivery.answer() is None
        assert ask.deliver(request) == "不支持比特币。"

    def test_a_client_that_left_gets_nothing_and_the_next_delivery_all(
        self, ask: Customer, model_is_configured: None, in_another_process: None
    ) -> None:
        request = ask.push(UNKNOWN)
        delivery = ask.wire.start(request)
        stored()
        delivery.cut()
        assert delivery.answer() is None
        worker_answers(ModelStub("不支持比特币。"))
        assert Reply.objects.get().state == ReplyState.READY
        assert ask.deliver(request) == "不支持比特币。"

    def test_a_repeat_gets_the_same_body_again(self, ask: Customer) -> None:
        request = ask.push(RETURNS[0])
        assert [ask.deliver(request) for _ in range(3)] == [RETURNS[1]] * 3
        assert Reply.objects.count() == 1

    @pytest.mark.usefixtures("short_times")
    def test_a_client_that_never_cuts_is_told_to_come_again(
        self, ask: Customer, model_is_configured: None
    ) -> None:
        answer = ask.wire.send(ask.push(UNKNOWN))
        assert answer is not None
        assert (answer.status, answer.body) == (503, b"")


class TestTheSamePushSeveralTimesAtOnce:
    def test_it_is_one_row_one_answer_and_one_body(self, ask: Customer) -> None:
        request = ask.push(RETURNS[0])
        deliveries = [ask.wire.start(request) for _ in range(3)]
        assert [ask.cut_in_time(delivery) for delivery in deliveries] == [RETURNS[1]] * 3
        assert Message.objects.get().deliveries == 3
        assert Reply.objects.count() == 1

    def test_one_model_call_answers_all_of_them(
        self, ask: Customer, model_is_configured: None, in_another_process: None
    ) -> None:
        request = ask.push(UNKNOWN)
        deliveries = [ask.wire.start(request) for _ in range(3)]
        model = ModelStub("不支持比特币。")
        worker_answers(model)
        assert {ask.cut_in_time(delivery) for delivery in deliveries} == {"不支持比特币。"}
        assert len(model.asked) == 1


class TestTheLimit:
    @pytest.fixture(autouse=True)
    def _two_a_minute(self, settings: Settings) -> None:
        settings.RATE_LIMIT_PER_MINUTE = 2

    def test_the_first_too_many_hears_a_polite_word_and_its_repeat_the_same(
        self, write: Customer
    ) -> None:
        for _ in range(2):
            assert write.write(RETURNS[0]) == RETURNS[1]
        request = write.push(RETURNS[0])
        assert [write.deliver(request), write.deliver(request)] == [
            "您发送得有点快，请稍等一分钟再发。"
        ] * 2

    def test_the_following_are_refused_with_the_time_to_wait(
        self, wire: Wire, write: Customer
    ) -> None:
        for _ in range(3):
            write.write(RETURNS[0])
        answer = wire.send(write.push(RETURNS[0]))
        assert answer is not None
        assert (answer.status, answer.body) == (429, b"")
        assert 0 < int(answer.headers["retry-after"]) <= 60

    def test_the_status_may_be_a_plain_success(
        self, wire: Wire, write: Customer, settings: Settings
    ) -> None:
        settings.RATE_LIMIT_STATUS = 200
        for _ in range(3):
            write.write(RETURNS[0])
        answer = wire.send(write.push(RETURNS[0]))
        assert answer is not None
        assert (answer.status, answer.body) == (200, b"success")

    def test_an_agents_customer_may_write_as_much_as_they_like(
        self, write: Customer, agent: Agent
    ) -> None:
        write.write("转人工")
        tickets.take(Ticket.objects.get(), agent)
        assert [write.write(UNKNOWN) for _ in range(5)] == ["success"] * 5
        assert Ticket.objects.get().messages.count() == 6


class TestAReplyThatIsHardToWrite:
    def test_a_bodys_end_mark_in_an_answer_does_no_harm(
        self, write: Customer, model_is_configured: None, in_another_process: None
    ) -> None:
        delivery = write.wire.start(write.push(UNKNOWN))
        worker_answers(ModelStub("代码是 a[b[0]]>1 和 <b>粗体</b> & 更多\x07"))
        answer = delivery.answer()
        assert answer is not None
        assert answer.text.startswith("代码是 a[b[0]]>1")

    def test_an_agents_words_go_out_with_the_next_push(self, ask: Customer, agent: Agent) -> None:
        ask.write("转人工")
        tickets.reply(Ticket.objects.get(), agent, "您好，我是李明。")
        assert ask.write("在吗") == "您好，我是李明。"


def test_messages_of_a_rush_are_all_answered(wire: Wire, api: OfficialAccount) -> None:
    requests = [
        plain(api, text_xml(RETURNS[0], openid=f"oRush{number}", msg_id=next_msg_id()))
        for number in range(40)
    ]
    deliveries = [wire.start(request) for request in requests]
    answers = [delivery.answer() for delivery in deliveries]
    passively = [answer for answer in answers if answer is not None and answer.body != b"success"]
    assert all(answer is not None and answer.status == 200 for answer in answers)
    assert {answer.text for answer in passively} <= {RETURNS[1]}
    wait_until(lambda: Reply.objects.count() == 40, what="all are answered")
    assert Reply.objects.filter(state=ReplyState.SENT).count() == len(passively)


def test_a_later_second_of_the_same_event_is_another_event(
    wire: Wire, api: OfficialAccount
) -> None:
    now = int(time.time())
    for created in (now, now, now + 1):
        wire.send(plain(api, event_xml("SCAN", "<EventKey>shelf-7</EventKey>", created=created)))
    assert Message.objects.count() == 2
    first = Message.objects.order_by("pk").first()
    assert first is not None
    assert first.deliveries == 2
    assert first.sent_at < timezone.now() + timedelta(seconds=5)


def test_a_wild_create_time_is_replaced_by_our_clock(wire: Wire, api: OfficialAccount) -> None:
    answer = wire.send(plain(api, text_xml(RETURNS[0], created=4_000_000_000)))
    assert answer is not None
    assert abs(Message.objects.get().sent_at - timezone.now()) < timedelta(minutes=1)


def test_a_long_text_is_cut_to_what_a_row_takes(wire: Wire, api: OfficialAccount) -> None:
    wire.send(plain(api, text_xml("长" * 6000)))
    assert len(Message.objects.get().text) == opening.MAX_TEXT


def test_the_same_text_twice_is_two_messages(write: Customer) -> None:
    first, second = write.push(RETURNS[0]), write.push(RETURNS[0])
    assert replace(first, query="") != replace(second, query="")
    assert [write.deliver(first), write.deliver(second)] == [RETURNS[1]] * 2
    assert Message.objects.count() == 2
