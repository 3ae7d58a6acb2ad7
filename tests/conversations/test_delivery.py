"""Sending by the customer-service API: in order, with pauses, and with every error written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from common.fresh import forget_all
from conversations.models import (
    Author,
    Channel,
    Conversation,
    Customer,
    Hold,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import by_api
from conversations.replies.parts import MESSAGE_BYTES, byte_length
from conversations.window import ledger
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory
from tests.worlds.api_stub import ApiStub
from wechat import accounts
from wechat.errors import (
    ApiNotGranted,
    CustomerRefuses,
    NotFollowing,
    OutcomeUnknown,
    QuotaUsedUp,
    TextTooLong,
    TokenRefused,
    TokenTooSoon,
    TooManyCalls,
    WeChatBusy,
    WeChatError,
    WeChatUnreachable,
    WindowClosed,
)
from wechat.models import OfficialAccount

pytestmark = pytest.mark.django_db

LOOK_LINK = "weixin://bizmsgmenu?msgmenucontent=查看回复&msgmenuid=wechatbot-look"


@pytest.fixture
def conversation() -> Conversation:
    conversation = ConversationFactory()
    ledger.open_message_window(conversation.customer_id, timezone.now())
    return conversation


def answered(
    conversation: Conversation, *texts: str, seconds_ago: int = 0, **values: object
) -> Message:
    """A message, and its answer that is ready to be sent."""
    moment = timezone.now() - timedelta(seconds=seconds_ago)
    message = MessageFactory(
        conversation=conversation,
        state=MessageState.ANSWERED,
        hold=Hold.RELEASED,
        received_at=moment,
        sent_at=moment,
    )
    for part, text in enumerate(texts, start=1):
        ReplyFactory(
            conversation=conversation,
            message=message,
            part=part,
            text=text,
            created_at=moment,
            **values,
        )
    return message


def states() -> list[str]:
    return [reply.state for reply in Reply.objects.order_by("created_at", "pk")]


def sends_left(conversation: Conversation) -> int:
    return Customer.objects.get(pk=conversation.customer_id).message_sends_left


def let_retry_come() -> None:
    Reply.objects.filter(state=ReplyState.READY).update(due_at=timezone.now())


class TestSending:
    def test_it_sends_a_text_and_notes_it(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "七天内可以。")
        assert by_api.deliver(conversation.pk) == 1
        assert wechat.sent == [(conversation.customer.openid, "七天内可以。")]
        row = Reply.objects.get()
        assert (row.state, row.channel, row.tries) == (ReplyState.SENT, Channel.API, 1)
        assert row.sent_at is not None
        assert sends_left(conversation) == 4

    def test_it_sends_in_the_order_in_which_it_was_written(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第三句", seconds_ago=1)
        answered(conversation, "第一句", "第二句", seconds_ago=9)
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["第一句", "第二句", "第三句"]

    def test_it_sends_no_more_than_it_is_asked_to(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一段", "第二段")
        assert by_api.deliver(conversation.pk, limit=1) == 1
        assert by_api.has_more(conversation.pk)
        by_api.deliver(conversation.pk)
        assert not by_api.has_more(conversation.pk)

    def test_it_sends_another_customers_texts_at_their_own_call(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(ConversationFactory(), "给别人的")
        assert by_api.deliver(conversation.pk) == 0

    def test_it_waits_for_a_text_that_is_being_sent(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一段", "第二段")
        by_api.claim_next(conversation.pk)
        assert by_api.deliver(conversation.pk) == 0

    def test_it_goes_on_behind_a_text_whose_outcome_is_unknown(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一段", "第二段")
        wechat.errors = [OutcomeUnknown()]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.UNKNOWN, ReplyState.SENT]


class TestPauses:
    """What is slept is what is asked of the clock: nothing is measured."""

    @pytest.fixture
    def slept(self, monkeypatch: pytest.MonkeyPatch, wechat: ApiStub) -> list[float]:
        naps: list[float] = []
        monkeypatch.setattr(by_api, "PAUSE_SECONDS", 60)
        monkeypatch.setattr(by_api.time, "sleep", naps.append)
        return naps

    def test_it_pauses_between_two_texts(
        self, conversation: Conversation, slept: list[float]
    ) -> None:
        answered(conversation, "第一段", "第二段")
        by_api.deliver(conversation.pk, limit=2)
        first, second = slept
        assert first == 0
        assert second > 0

    def test_it_pauses_after_what_another_process_or_a_passive_reply_has_just_said(
        self, conversation: Conversation, slept: list[float]
    ) -> None:
        answered(conversation, "第一段", "第二段")
        Reply.objects.filter(part=1).update(
            state=ReplyState.SENT, channel=Channel.PASSIVE, sent_at=timezone.now()
        )
        by_api.deliver(conversation.pk, limit=1)
        assert slept[0] > 0

    def test_it_does_not_pause_after_what_was_said_long_ago(
        self, conversation: Conversation, slept: list[float]
    ) -> None:
        answered(conversation, "第一段", "第二段")
        earlier = timezone.now() - timedelta(minutes=2)
        Reply.objects.filter(part=1).update(
            state=ReplyState.SENT, channel=Channel.API, sent_at=earlier
        )
        by_api.deliver(conversation.pk, limit=1)
        assert slept == [0]


class TestTryingAgain:
    @pytest.mark.parametrize(
        "error", [WeChatUnreachable(), WeChatBusy(-1), TooManyCalls(45011), TokenRefused(40001)]
    )
    def test_it_tries_again_later(
        self, conversation: Conversation, wechat: ApiStub, error: WeChatError
    ) -> None:
        answered(conversation, "七天内可以。")
        wechat.errors = [error]
        by_api.deliver(conversation.pk)
        row = Reply.objects.get()
        assert row.state == ReplyState.READY
        assert row.due_at > timezone.now()
        assert type(error).__name__ in row.reason
        let_retry_come()
        by_api.deliver(conversation.pk)
        row.refresh_from_db()
        assert (row.state, row.tries, row.reason) == (ReplyState.SENT, 2, "")

    def test_it_pauses_longer_each_time_and_then_fails_with_the_reason(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        """An API that cannot be reached takes no quota: it never ends as a text that waits for the
        customer.
        """
        answered(conversation, "七天内可以。")
        wechat.errors = [WeChatUnreachable(0, "ConnectTimeout at WeChat's API") for _ in range(9)]
        pauses = []
        while Reply.objects.get().state == ReplyState.READY:
            by_api.deliver(conversation.pk)
            pauses.append((Reply.objects.get().due_at - timezone.now()).total_seconds())
            let_retry_come()
        assert wechat.tried == 6
        assert pauses[:5] == sorted(pauses[:5])
        assert [round(pause) for pause in pauses[:5]] == [2, 5, 15, 60, 180]
        row = Reply.objects.get()
        assert row.state == ReplyState.FAILED
        assert "ConnectTimeout" in row.reason
        assert sends_left(conversation) == 5

    def test_it_waits_as_long_as_the_refusal_asks_for(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "七天内可以。")
        wechat.errors = [TooManyCalls(45011)]
        by_api.deliver(conversation.pk)
        assert Reply.objects.get().due_at > timezone.now() + timedelta(seconds=55)

    def test_it_waits_for_the_next_forced_token_however_often_without_losing_a_try(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "七天内可以。")
        for seconds in (30, 17.5, 30, 4, 30, 30, 30, 1):
            wechat.errors = [TokenTooSoon(40001, wait_seconds=seconds)]
            before = timezone.now()
            by_api.deliver(conversation.pk)
            row = Reply.objects.get()
            pause = timedelta(seconds=seconds)
            assert (row.state, row.tries) == (ReplyState.READY, 0)
            assert before + pause <= row.due_at <= timezone.now() + pause
            let_retry_come()
        by_api.deliver(conversation.pk)
        row.refresh_from_db()
        assert (row.state, row.tries) == (ReplyState.SENT, 1)

    def test_it_holds_the_texts_behind_back(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一段", "第二段")
        wechat.errors = [WeChatUnreachable()]
        by_api.deliver(conversation.pk)
        assert wechat.texts == []
        let_retry_come()
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["第一段", "第二段"]


class TestGivingUp:
    @pytest.mark.parametrize(
        "error", [CustomerRefuses(48002), WeChatError(70000, "content refused")]
    )
    def test_it_fails_what_would_be_refused_again(
        self, conversation: Conversation, wechat: ApiStub, error: WeChatError
    ) -> None:
        answered(conversation, "第一段", "第二段")
        wechat.errors = [error]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.FAILED, ReplyState.FAILED]
        assert wechat.tried == 1

    def test_it_still_sends_the_answer_of_another_message(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一段", "第二段", seconds_ago=5)
        answered(conversation, "另一个回答")
        wechat.errors = [CustomerRefuses(48002)]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.FAILED, ReplyState.FAILED, ReplyState.SENT]

    def test_it_notes_who_follows_no_more(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "七天内可以。")
        wechat.errors = [NotFollowing(43004)]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.FAILED]
        assert not Customer.objects.get(pk=conversation.customer_id).subscribed

    def test_it_never_sends_again_what_may_have_arrived(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "七天内可以。")
        wechat.errors = [OutcomeUnknown(0, "ReadTimeout at WeChat's API")]
        by_api.deliver(conversation.pk)
        let_retry_come()
        by_api.deliver(conversation.pk)
        row = Reply.objects.get()
        assert (row.state, wechat.tried) == (ReplyState.UNKNOWN, 1)
        assert "ReadTimeout" in row.reason
        assert sends_left(conversation) == 4

    def test_it_believes_wechat_that_a_text_was_taken_although_the_sweep_had_given_it_up(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "七天内可以。")
        wechat.meanwhile = lambda: Reply.objects.update(state=ReplyState.UNKNOWN)
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.SENT]


class TestWhatWeChatSaysOfTheAccountOrTheWindow:
    def test_an_account_without_the_api_turns_passive_and_its_texts_wait(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一段", "第二段")
        wechat.errors = [ApiNotGranted(48001)]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.WAITING_FOR_CUSTOMER] * 2
        assert OfficialAccount.objects.get().api_refused_at is not None
        forget_all()
        assert not accounts.by_id(conversation.account_id).may_send

    @pytest.mark.parametrize("error", [WindowClosed(45015), QuotaUsedUp(45047)])
    def test_a_closed_window_lets_all_wait_and_corrects_the_ledger(
        self, conversation: Conversation, wechat: ApiStub, error: WeChatError
    ) -> None:
        answered(conversation, "第一段", "第二段")
        wechat.errors = [error]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.WAITING_FOR_CUSTOMER] * 2
        assert wechat.tried == 1
        assert (
            ledger.sends_left(Customer.objects.get(pk=conversation.customer_id), timezone.now())
            == 0
        )


class TestATextThatWeChatFindsTooLong:
    def test_it_goes_out_in_smaller_pieces(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一句话。第二句话。第三句话。第四句话。")
        wechat.errors = [TextTooLong(45002)]
        by_api.deliver(conversation.pk)
        assert len(wechat.texts) == 2
        assert "".join(wechat.texts) == "第一句话。第二句话。第三句话。第四句话。"
        assert states() == [ReplyState.SENT]
        assert sends_left(conversation) == 3

    def test_it_is_never_sent_again_when_its_first_piece_went_out(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一句话。第二句话。")
        wechat.errors = [TextTooLong(45002), None, WeChatUnreachable()]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.UNKNOWN]

    def test_it_fails_when_its_pieces_are_too_long_as_well(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "第一句话。第二句话。")
        wechat.errors = [TextTooLong(45002), TextTooLong(45002)]
        by_api.deliver(conversation.pk)
        assert states() == [ReplyState.FAILED]


class TestTheWindow:
    def test_a_bots_answer_takes_three_sends_and_says_how_to_get_the_rest(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, *(f"第{number}段" for number in range(6)))
        by_api.deliver(conversation.pk)
        assert [text[:3] for text in wechat.texts] == ["第0段", "第1段", "第2段"]
        assert [LOOK_LINK in text for text in wechat.texts] == [False, False, True]
        assert states() == [ReplyState.SENT] * 3 + [ReplyState.WAITING_FOR_CUSTOMER] * 3

    def test_the_last_part_has_no_link(self, conversation: Conversation, wechat: ApiStub) -> None:
        answered(conversation, "第一段", "第二段", "第三段")
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["第一段", "第二段", "第三段"]

    def test_the_link_fits_behind_the_longest_part(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "一", "二", "三" * 583, "四")
        by_api.deliver(conversation.pk)
        assert LOOK_LINK in wechat.texts[2]
        assert byte_length(wechat.texts[2]) <= MESSAGE_BYTES

    def test_the_bot_leaves_one_send_for_a_person(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        Customer.objects.update(message_sends_left=2)
        answered(conversation, "第一段", "第二段")
        by_api.deliver(conversation.pk)
        assert len(wechat.texts) == 1
        assert LOOK_LINK in wechat.texts[0]
        ReplyFactory(conversation=conversation, author=Author.AGENT, text="客服：您好")
        by_api.deliver(conversation.pk)
        assert wechat.texts[1:] == ["客服：您好"]
        assert sends_left(conversation) == 0

    def test_an_agent_may_use_what_the_bots_answers_left(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, *(f"第{number}段" for number in range(6)))
        ReplyFactory(conversation=conversation, author=Author.AGENT, text="客服：您好")
        by_api.deliver(conversation.pk)
        assert wechat.texts[3:] == ["客服：您好"]

    def test_nobody_sends_where_the_window_is_closed(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        Customer.objects.update(message_window_until=timezone.now())
        ReplyFactory(conversation=conversation, author=Author.AGENT)
        ReplyFactory(conversation=conversation, author=Author.SYSTEM)
        by_api.deliver(conversation.pk)
        assert wechat.tried == 0
        assert states() == [ReplyState.WAITING_FOR_CUSTOMER] * 2

    def test_what_is_left_of_an_old_answer_does_not_hold_up_the_new_one(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, *(f"旧{number}" for number in range(9)), seconds_ago=60)
        by_api.deliver(conversation.pk)
        Reply.objects.filter(state=ReplyState.SENT).update(
            sent_at=timezone.now() - timedelta(seconds=50)
        )
        ledger.open_message_window(conversation.customer_id, timezone.now())
        Reply.objects.filter(state=ReplyState.WAITING_FOR_CUSTOMER).update(state=ReplyState.READY)
        answered(conversation, "新的回答")
        by_api.deliver(conversation.pk)
        assert [text[:2] for text in wechat.texts[3:]] == ["旧3", "旧4", "旧5", "新的"]
        assert states().count(ReplyState.WAITING_FOR_CUSTOMER) == 3


class TestTheFence:
    def test_a_bots_text_of_an_owner_before_is_withdrawn_and_holds_nothing_up(
        self, conversation: Conversation, wechat: ApiStub
    ) -> None:
        answered(conversation, "机器人的旧回答", seconds_ago=5)
        Conversation.objects.update(owner_version=1)
        ReplyFactory(conversation=conversation, author=Author.AGENT, text="客服：您好")
        by_api.deliver(conversation.pk)
        assert wechat.texts == ["客服：您好"]
        assert states() == [ReplyState.WITHDRAWN, ReplyState.SENT]
