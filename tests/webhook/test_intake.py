"""Taking pushes in: one row for each, whatever comes twice, together or too often."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from common.deadline import DeadlinePassed
from common.text import Words
from conversations import ids
from conversations.models import Conversation, Ending, Hold, Message, MessageState, Owner
from tests.factories import AccountFactory, ConversationFactory, MessageFactory
from tests.knowledge.builders import absent_redis
from tests.webhook.builders import push
from webhook import intake, refusals, script
from webhook.intake import Push, Taken, Verdict, take_in
from wechat.models import OfficialAccount

pytestmark = pytest.mark.django_db

TOO_MANY = "您发送得有点快，请稍等一分钟再发。"


@pytest.fixture
def account() -> OfficialAccount:
    return AccountFactory()


def one(pushed: Push) -> Taken:
    [taken] = take_in([pushed])
    return taken


def again(pushed: Push) -> Push:
    """The next delivery of the same push: another row's id, the same key."""
    return replace(pushed, id=ids.new_id())


class TestARequestThatTheProxyTriesAgain:
    """Its first web process died: the customer's push was delivered once by WeChat, whoever took
    it.
    """

    def test_it_is_no_delivery(self, account: OfficialAccount) -> None:
        pushed = push(account, request_id=7)
        one(pushed)

        tried_again = one(again(pushed))

        assert (tried_again.verdict, tried_again.deliveries) == (Verdict.REPEAT, 1)
        assert Message.objects.get().deliveries == 1

    def test_it_ends_when_the_first_try_would_have_ended(self, account: OfficialAccount) -> None:
        pushed = push(account, request_id=7)
        one(pushed)
        later = timedelta(seconds=2)

        tried_again = one(
            replace(
                again(pushed),
                received_at=pushed.received_at + later,
                hold_until=pushed.hold_until + later,
            )
        )

        assert tried_again.began_earlier == 2.0
        assert Message.objects.get().hold_until == pushed.hold_until

    def test_wechats_own_repeat_counts_whatever_tries_there_were(
        self, account: OfficialAccount
    ) -> None:
        pushed = push(account, request_id=7)
        one(pushed)
        one(again(pushed))

        counts = [one(replace(again(pushed), request_id=number)).deliveries for number in (8, 8, 9)]

        assert counts == [2, 2, 3]

    def test_two_tries_in_one_batch_are_one(self, account: OfficialAccount) -> None:
        pushed = push(account, request_id=7)

        first, second = take_in([pushed, again(pushed)])

        assert (first.deliveries, second.deliveries) == (1, 1)
        assert Message.objects.get().deliveries == 1

    def test_without_a_proxy_every_request_counts(self, account: OfficialAccount) -> None:
        pushed = push(account)
        one(pushed)

        assert [one(again(pushed)).deliveries for _ in range(2)] == [2, 3]


class TestANewPush:
    def test_it_is_stored_with_all_that_it_said(self, account: OfficialAccount) -> None:
        pushed = push(account, "转人工😀", elements={"bizmsgmenuid": "7"}, raw="<xml/>")
        taken = one(pushed)
        assert (taken.verdict, taken.to_answer, taken.ended) == (Verdict.NEW, True, False)
        row = Message.objects.get(pk=taken.message_id)
        assert (row.account_id, row.openid, row.dedup_key) == (
            account.pk,
            "oCustomer",
            pushed.dedup_key,
        )
        assert (row.text, row.fields, row.raw, row.kind) == (
            "转人工😀",
            {"option_id": "7"},
            "<xml/>",
            "text",
        )
        assert (row.sent_at, row.received_at) == (pushed.sent_at, pushed.received_at)
        assert (row.state, row.deliveries, row.attempt) == (MessageState.RECEIVED, 1, 0)
        assert row.wants_human

    def test_it_stands_open_for_its_reply(self, account: OfficialAccount) -> None:
        pushed = push(account)
        row = Message.objects.get(pk=one(pushed).message_id)
        assert (row.hold, row.hold_until, row.ended_with) == (
            Hold.WAITING,
            pushed.hold_until,
            Ending.OPEN,
        )

    def test_it_is_ended_at_once_where_nobody_holds(self, account: OfficialAccount) -> None:
        taken = one(push(account, hold_until=None))
        assert (taken.ended, taken.passive_text, taken.to_answer) == (True, "", True)
        row = Message.objects.get()
        assert (row.hold, row.ended_with, row.state) == (
            Hold.RELEASED,
            Ending.SUCCESS,
            MessageState.RECEIVED,
        )

    def test_it_is_kept_and_ended_where_it_is_of_no_use(self, account: OfficialAccount) -> None:
        taken = one(
            push(
                account,
                "",
                kind="unsupported",
                raw="<xml><MsgType>x</MsgType></xml>",
            )
        )
        assert (taken.ended, taken.passive_text, taken.to_answer) == (True, "", False)
        row = Message.objects.get()
        assert (row.state, row.raw) == (MessageState.IGNORED, "<xml><MsgType>x</MsgType></xml>")

    def test_forty_go_in_together(self, account: OfficialAccount) -> None:
        pushes = [push(account, f"第{number}句", openid=f"o{number}") for number in range(40)]
        outcomes = take_in(pushes)
        assert [taken.message_id for taken in outcomes] == [pushed.id for pushed in pushes]
        assert list(Message.objects.order_by("pk").values_list("text", flat=True)) == [
            pushed.words.text for pushed in pushes
        ]

    def test_it_is_not_stored_after_its_time(self, account: OfficialAccount) -> None:
        with pytest.raises(DeadlinePassed):
            take_in([push(account)], time.monotonic())
        assert not Message.objects.exists()

    def test_keys_that_differ_only_in_case_are_two_pushes(self, account: OfficialAccount) -> None:
        first, second = (
            push(account, dedup_key="oAb:1:click:Menu"),
            push(account, dedup_key="oAb:1:click:MENU"),
        )
        assert [taken.verdict for taken in (one(first), one(second))] == [Verdict.NEW, Verdict.NEW]

    def test_the_same_key_of_two_accounts_is_two_pushes(self, account: OfficialAccount) -> None:
        pushes = [push(account, dedup_key="oAb:1"), push(AccountFactory(), dedup_key="oAb:1")]
        assert {taken.verdict for taken in take_in(pushes)} == {Verdict.NEW}
        assert Message.objects.count() == 2


class TestARepeat:
    def test_it_finds_the_row(self, account: OfficialAccount) -> None:
        pushed = push(account)
        first = one(pushed)
        repeat = one(again(pushed))
        assert (repeat.verdict, repeat.message_id, repeat.to_answer) == (
            Verdict.REPEAT,
            first.message_id,
            False,
        )
        assert Message.objects.count() == 1

    def test_it_counts_the_deliveries(self, account: OfficialAccount) -> None:
        pushed = push(account)
        assert [one(again(pushed)).deliveries for _ in range(3)] == [1, 2, 3]
        assert Message.objects.get().deliveries == 3

    def test_it_stands_open_for_the_reply_in_its_turn(self, account: OfficialAccount) -> None:
        pushed = push(account)
        one(pushed)
        later = pushed.received_at + timedelta(seconds=9.5)
        one(replace(again(pushed), hold_until=later))
        assert Message.objects.get().hold_until == later

    @pytest.mark.parametrize(
        ("ending", "text"), [(Ending.TEXT, "七天内可以。"), (Ending.SUCCESS, "")]
    )
    def test_it_knows_what_the_push_was_ended_with(
        self, account: OfficialAccount, ending: Ending, text: str
    ) -> None:
        pushed = push(account)
        one(pushed)
        Message.objects.update(ended_with=ending, passive_text=text, hold=Hold.RELEASED)
        repeat = one(again(pushed))
        assert (repeat.ended, repeat.passive_text) == (True, text)
        assert Message.objects.get().hold == Hold.RELEASED

    def test_it_is_known_among_new_ones(self, account: OfficialAccount) -> None:
        known = push(account)
        one(known)
        outcomes = take_in([push(account), again(known), push(account)])
        assert [taken.verdict for taken in outcomes] == [Verdict.NEW, Verdict.REPEAT, Verdict.NEW]
        assert Message.objects.count() == 3

    def test_a_batch_that_was_written_and_not_confirmed_is_new_when_it_is_written_again(
        self, account: OfficialAccount
    ) -> None:
        """The connection broke at the commit: the rows are there, and they are ours."""
        pushes = [push(account), push(account)]
        take_in(pushes)
        assert [(taken.verdict, taken.to_answer) for taken in take_in(pushes)] == [
            (Verdict.NEW, True)
        ] * 2


class TestEqualKeysInOneBatch:
    def test_they_become_one_row(self, account: OfficialAccount) -> None:
        pushed = push(account)
        outcomes = take_in([pushed, again(pushed), again(pushed)])
        assert {taken.message_id for taken in outcomes} == {pushed.id}
        assert Message.objects.get().deliveries == 3
        assert {taken.deliveries for taken in outcomes} == {3}

    def test_they_are_counted_on_where_the_push_is_known(self, account: OfficialAccount) -> None:
        pushed = push(account)
        one(pushed)
        take_in([again(pushed), again(pushed)])
        assert Message.objects.get().deliveries == 3

    def test_the_customers_first_row_stays(self, account: OfficialAccount) -> None:
        pushed = push(account, "第一次送来的")
        take_in([pushed, replace(again(pushed), words=Words("第二次送来的"))])
        assert Message.objects.get().text == "第一次送来的"


class TestAnIdThatIsTaken:
    def test_the_row_gets_another_one(self, account: OfficialAccount) -> None:
        other = MessageFactory()
        pushed = replace(push(account), id=other.pk)
        taken = one(pushed)
        assert taken.verdict is Verdict.NEW
        assert taken.message_id != other.pk
        assert Message.objects.get(pk=taken.message_id).dedup_key == pushed.dedup_key

    def test_the_others_of_the_batch_keep_theirs(self, account: OfficialAccount) -> None:
        other = MessageFactory()
        pushes = [push(account), replace(push(account), id=other.pk), push(account)]
        outcomes = take_in(pushes)
        assert {taken.verdict for taken in outcomes} == {Verdict.NEW}
        assert [
            taken.message_id == pushed.id for taken, pushed in zip(outcomes, pushes, strict=True)
        ] == [
            True,
            False,
            True,
        ]
        assert Message.objects.count() == 4

    def test_it_gives_up_what_the_database_never_takes(
        self, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """MySQL's INSERT IGNORE leaves out more than equal keys: an account that was just deleted,
        say.
        """
        monkeypatch.setattr(intake, "insert_messages", lambda rows: 0)
        with pytest.raises(intake.NotStored):
            one(push(account))


class TestTheLimit:
    @pytest.fixture(autouse=True)
    def _three_a_minute(self, settings: Settings) -> None:
        settings.RATE_LIMIT_PER_MINUTE = 3

    def sent(self, account: OfficialAccount, count: int, **values: object) -> list[Push]:
        pushes = [push(account, f"第{number}句", **values) for number in range(count)]
        for pushed in pushes:
            one(pushed)
        return pushes

    def test_the_first_too_many_is_stored_with_the_polite_words(
        self, account: OfficialAccount
    ) -> None:
        self.sent(account, 3)
        taken = one(push(account))
        assert (taken.verdict, taken.ended, taken.passive_text) == (Verdict.NEW, True, TOO_MANY)
        assert not taken.to_answer
        row = Message.objects.get(pk=taken.message_id)
        assert (row.state, row.ended_with) == (MessageState.IGNORED, Ending.TEXT)

    def test_its_repeats_get_the_same_words(self, account: OfficialAccount) -> None:
        *_, last = self.sent(account, 4)
        repeat = one(again(last))
        assert (repeat.ended, repeat.passive_text) == (True, TOO_MANY)

    def test_the_following_are_refused_until_the_minute_ends(
        self, account: OfficialAccount
    ) -> None:
        self.sent(account, 4)
        taken = one(push(account))
        assert taken.verdict is Verdict.TOO_MANY
        assert 0 < taken.seconds_left <= 60
        assert Message.objects.count() == 4

    def test_the_first_is_logged_at_once_and_the_others_are_counted(
        self,
        account: OfficialAccount,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.sent(account, 6)
        monkeypatch.setattr(refusals, "SECOND", 0)
        refusals.tell()
        lines = [line for line in caplog.messages if "sends too fast" in line]
        assert len(lines) == 2
        assert "2 more refused" in lines[1]

    def test_a_repeat_of_a_known_message_is_never_refused(self, account: OfficialAccount) -> None:
        first, *_ = self.sent(account, 6)
        script.redis().delete(f"rate:{account.pk}:oCustomer")
        self.sent(account, 6)
        assert one(again(first)).verdict is Verdict.REPEAT

    def test_deliveries_do_not_count(self, account: OfficialAccount) -> None:
        first, *_ = self.sent(account, 3)
        for _ in range(5):
            one(again(first))
        assert not Message.objects.filter(passive_text=TOO_MANY).exists()

    def test_one_batch_is_counted_in_the_order_in_which_it_came(
        self, account: OfficialAccount
    ) -> None:
        outcomes = take_in([push(account) for _ in range(6)])
        assert [taken.verdict for taken in outcomes] == [Verdict.NEW] * 4 + [Verdict.TOO_MANY] * 2
        assert [taken.ended for taken in outcomes] == [False] * 3 + [True] + [False] * 2

    def test_another_customer_is_not_limited(self, account: OfficialAccount) -> None:
        self.sent(account, 6)
        assert one(push(account, openid="oAnother")).to_answer

    def test_a_customer_whom_a_person_serves_is_never_limited(
        self, account: OfficialAccount
    ) -> None:
        ConversationFactory(
            customer__account=account, customer__openid="oCustomer", owner=Owner.AGENT
        )
        outcomes = [one(push(account)) for _ in range(8)]
        assert all(taken.to_answer for taken in outcomes)

    def test_a_customer_who_waits_for_a_person_is_limited_like_others(
        self, account: OfficialAccount
    ) -> None:
        ConversationFactory(
            customer__account=account, customer__openid="oCustomer", owner=Owner.QUEUE
        )
        assert [one(push(account)).to_answer for _ in range(5)] == [True] * 3 + [False] * 2

    def test_what_comes_by_itself_is_not_counted(self, account: OfficialAccount) -> None:
        self.sent(account, 8, kind="event.scan")
        assert Conversation.objects.count() == 0
        assert Message.objects.filter(state=MessageState.RECEIVED).count() == 8

    def test_what_is_kept_raw_is_not_kept_past_the_limit(self, account: OfficialAccount) -> None:
        unknown = {"kind": "unsupported", "raw": "<xml/>"}
        self.sent(account, 8, **unknown)
        assert Message.objects.count() == 3
        assert one(push(account, **unknown)).verdict is Verdict.NOT_KEPT
        assert one(push(account)).passive_text == TOO_MANY

    def test_a_repeat_of_something_raw_is_known_past_the_limit(
        self, account: OfficialAccount
    ) -> None:
        first, *_ = self.sent(account, 8, kind="unsupported", raw="<xml/>")
        assert one(again(first)).verdict is Verdict.REPEAT

    def test_nobody_is_limited_while_redis_is_away(
        self, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(script, "redis", absent_redis)
        self.sent(account, 8)
        assert Message.objects.filter(state=MessageState.RECEIVED).count() == 8


def test_two_processes_that_take_the_same_push_in_make_one_row(account: OfficialAccount) -> None:
    """The second one's INSERT comes after the first's: it finds the row by its key."""
    pushed = push(account, received_at=timezone.now())
    outcomes = [one(again(pushed)), one(again(pushed))]
    assert [taken.verdict for taken in outcomes] == [Verdict.NEW, Verdict.REPEAT]
    assert Message.objects.count() == 1


def test_a_push_that_is_repeated_without_end_is_still_answered(account: OfficialAccount) -> None:
    """WeChat's three deliveries need no more than a small column, somebody with a URL from a log
    fills it.
    """
    pushed = push(account)
    message_id = one(pushed).message_id
    Message.objects.filter(pk=message_id).update(deliveries=65534)
    for _ in range(3):
        taken = one(again(pushed))
        assert taken.verdict is Verdict.REPEAT
    assert 3 <= Message.objects.get(pk=message_id).deliveries <= 32767
