"""Claimed is not begun: no call to WeChat begins on a row that is no longer ours, and a row whose
call never began is sent anew instead of ending as unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from conversations.models import Author, Customer, Message, MessageState, Reply, ReplyState
from conversations.replies import by_api, outcomes, states
from conversations.replies.claiming import claim_next
from conversations.replies.say import say
from conversations.turns.leases import Turn
from conversations.window import ledger
from tests.factories import held_turn
from tests.worlds.api_stub import ApiStub
from tickets import services as tickets
from tickets.models import Agent, Reason
from webhook import recovery
from webhook.answering import send_first_part
from wechat.errors import OutcomeUnknown, TextTooLong, WeChatBusy, WeChatError, WindowClosed

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = "七天内可以退货。"


@pytest.fixture(params=["with the answer", "by the delivery"])
def claimed(request: pytest.FixtureRequest, wechat: ApiStub) -> Claimed:
    """A text that somebody has claimed and not begun to send, by each of the two ways."""
    turn = held_turn()
    ledger.open_message_window(turn.customer.pk, timezone.now())
    if request.param == "with the answer":
        turn.line = by_api.line_at_hand(turn.account)
        say(turn, [ANSWER], author=Author.BOT)
        return Claimed(turn, lambda: send_first_part(turn))
    say(turn, [ANSWER], author=Author.BOT)
    line = by_api.open_line(turn.account)
    reply = claim_next(turn.conversation.pk)
    assert reply is not None
    return Claimed(turn, lambda: by_api.send(reply, line))


class Claimed:
    def __init__(self, turn: Turn, go_on: Callable[[], object]) -> None:
        self.turn = turn
        self.go_on = go_on
        assert self.row.state == ReplyState.SENDING

    @property
    def row(self) -> Reply:
        return Reply.objects.get(message=self.turn.message)

    @property
    def sends_left(self) -> int:
        return Customer.objects.get(pk=self.turn.customer.pk).message_sends_left


def let_lease_run_out() -> None:
    Reply.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def sweep() -> list[int]:
    """Returns the conversations that it hands on."""
    Reply.objects.update(due_at=timezone.now() - timedelta(seconds=9))
    found: list[int] = []
    recovery.pick_up_forgotten(lambda ids: None, found.append)
    return found


def take_over(turn: Turn, agent: Agent) -> None:
    ticket = tickets._new_ticket(turn, Reason.CUSTOMER_ASKED, [])
    tickets.take(ticket, agent)


class TestAfterATakeover:
    def test_no_call_begins(self, claimed: Claimed, wechat: ApiStub, agent: Agent) -> None:
        take_over(claimed.turn, agent)
        claimed.go_on()
        assert wechat.tried == 0
        assert claimed.row.state == ReplyState.WITHDRAWN
        assert claimed.sends_left == 5
        assert Message.objects.get().state == MessageState.HANDED_OVER

    def test_no_second_call_begins_with_another_token(
        self, claimed: Claimed, wechat: ApiStub, agent: Agent
    ) -> None:
        """The client asks again before each call that carries the text."""
        wechat.errors = [TextTooLong(45002)]
        wechat.meanwhile = lambda: take_over(claimed.turn, agent)
        claimed.go_on()
        assert wechat.tried == 1
        assert wechat.texts == []
        assert by_api.deliver(claimed.turn.conversation.pk) == 0
        assert claimed.row.state == ReplyState.WITHDRAWN

    def test_a_call_that_has_begun_is_left_alone(
        self, claimed: Claimed, wechat: ApiStub, agent: Agent
    ) -> None:
        wechat.meanwhile = lambda: take_over(claimed.turn, agent)
        claimed.go_on()
        assert wechat.texts == [ANSWER]
        assert claimed.row.state == ReplyState.SENT

    def test_an_agents_words_still_go_out(self, wechat: ApiStub, agent: Agent) -> None:
        turn = held_turn()
        ledger.open_message_window(turn.customer.pk, timezone.now())
        ticket = tickets.hand_over(turn, reason=Reason.CUSTOMER_ASKED)
        (words,) = tickets.reply(ticket, agent, "您好")
        by_api.deliver(turn.conversation.pk)
        words.refresh_from_db()
        assert (words.state, wechat.texts[-1]) == (ReplyState.SENT, "您好")


class TestAWorkerThatStoodStill:
    def test_it_sends_nothing_after_the_thaw(self, claimed: Claimed, wechat: ApiStub) -> None:
        let_lease_run_out()
        assert sweep() == [claimed.turn.conversation.pk]
        assert by_api.deliver(claimed.turn.conversation.pk) == 1
        claimed.go_on()
        assert wechat.texts == [ANSWER]
        assert claimed.row.state == ReplyState.SENT
        assert claimed.sends_left == 4

    def test_it_sends_nothing_though_nobody_has_its_text_yet(
        self, claimed: Claimed, wechat: ApiStub
    ) -> None:
        let_lease_run_out()
        claimed.go_on()
        assert wechat.tried == 0
        assert (claimed.row.state, claimed.row.tries) == (ReplyState.READY, 0)
        assert claimed.sends_left == 5

    def test_its_text_is_not_taken_from_whoever_sends_it_now(
        self, claimed: Claimed, wechat: ApiStub
    ) -> None:
        let_lease_run_out()
        sweep()
        Reply.objects.update(due_at=timezone.now())
        another = claim_next(claimed.turn.conversation.pk)
        assert another is not None
        claimed.go_on()
        assert wechat.tried == 0
        assert claimed.row.claim == another.claim
        by_api.send(another, by_api.open_line(claimed.turn.account))
        assert wechat.texts == [ANSWER]


class TestASenderThatDied:
    def test_before_its_call_the_text_is_sent_anew(self, claimed: Claimed, wechat: ApiStub) -> None:
        let_lease_run_out()
        assert sweep() == [claimed.turn.conversation.pk]
        assert (claimed.row.state, claimed.row.tries) == (ReplyState.READY, 0)
        assert claimed.sends_left == 5

    def test_in_its_call_the_outcome_is_unknown(self, claimed: Claimed, wechat: ApiStub) -> None:
        assert states.begin(claimed.row, timezone.now(), timezone.now())
        let_lease_run_out()
        assert sweep() == []
        assert claimed.row.state == ReplyState.UNKNOWN

    def test_of_a_former_release_the_outcome_is_unknown(self, claimed: Claimed) -> None:
        """It noted neither claim nor beginning."""
        Reply.objects.update(claim="")
        let_lease_run_out()
        sweep()
        assert claimed.row.state == ReplyState.UNKNOWN


def test_the_token_is_there_before_anything_is_claimed(
    wechat: ApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = held_turn()
    say(turn, [ANSWER], author=Author.BOT)
    found: list[str] = []

    def ask(stub: ApiStub) -> str:
        found.append(Reply.objects.get().state)
        return "token"

    monkeypatch.setattr(ApiStub, "access_token", property(ask))
    by_api.deliver(turn.conversation.pk)
    assert found == [ReplyState.READY]


class Away:
    """A database that is away for the next writes of an outcome."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.times = 3
        self.meanwhile: Callable[[], object] = lambda: None
        for name in names:
            monkeypatch.setattr(outcomes, name, self._unless_away(getattr(outcomes, name)))
        monkeypatch.setattr(outcomes, "KEEP_OUTCOME_PAUSE", 0)

    def _unless_away(self, write: Callable[..., None]) -> Callable[..., None]:
        def tried(*arguments: Any) -> None:
            if self.times:
                self.times -= 1
                if not self.times:
                    self.meanwhile()
                raise OperationalError(2003, "Can't connect")
            write(*arguments)

        return tried


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    return Away(monkeypatch, "record_sent", "record_error", "record_not_begun")


def the_sweep_was_first() -> None:
    let_lease_run_out()
    sweep()


@pytest.mark.parametrize("meanwhile", [lambda: None, the_sweep_was_first], ids=["", "swept"])
class TestWhatWeChatSaidWhileTheDatabaseIsAway:
    def test_that_it_took_the_text(
        self, claimed: Claimed, wechat: ApiStub, away: Away, meanwhile: Callable[[], None]
    ) -> None:
        away.meanwhile = meanwhile
        claimed.go_on()
        assert (claimed.row.state, claimed.row.reason) == (ReplyState.SENT, "")
        assert claimed.sends_left == 4

    def test_that_it_could_not(
        self, claimed: Claimed, wechat: ApiStub, away: Away, meanwhile: Callable[[], None]
    ) -> None:
        away.meanwhile = meanwhile
        wechat.errors = [WeChatBusy(-1)]
        claimed.go_on()
        assert (claimed.row.state, claimed.row.tries) == (ReplyState.READY, 1)
        assert claimed.row.sent_at is None
        assert claimed.sends_left == 5
        Reply.objects.update(due_at=timezone.now())
        by_api.deliver(claimed.turn.conversation.pk)
        assert (claimed.row.state, claimed.row.tries) == (ReplyState.SENT, 2)
        assert wechat.texts == [ANSWER]

    @pytest.mark.parametrize(
        ("error", "state"),
        [
            (WindowClosed(45015), ReplyState.WAITING_FOR_CUSTOMER),
            (WeChatError(70000, "content refused"), ReplyState.FAILED),
            (OutcomeUnknown(0, "ReadTimeout"), ReplyState.UNKNOWN),
        ],
    )
    def test_that_it_will_not_or_that_nobody_knows(
        self,
        claimed: Claimed,
        wechat: ApiStub,
        away: Away,
        meanwhile: Callable[[], None],
        error: WeChatError,
        state: ReplyState,
    ) -> None:
        away.meanwhile = meanwhile
        wechat.errors = [error]
        claimed.go_on()
        assert claimed.row.state == state

    def test_that_it_was_not_asked(
        self,
        claimed: Claimed,
        wechat: ApiStub,
        away: Away,
        meanwhile: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The beginning is noted, its OK is lost, and nobody can be asked again."""
        away.meanwhile = meanwhile
        begin = states.begin

        def begin_unheard(*arguments: Any) -> bool:
            begin(*arguments)
            monkeypatch.setattr(states, "begin", begin)
            raise OperationalError(2013, "Lost connection")

        monkeypatch.setattr(states, "begin", begin_unheard)
        claimed.go_on()
        assert wechat.tried == 0
        assert (claimed.row.state, claimed.row.tries) == (ReplyState.READY, 0)
        assert by_api.deliver(claimed.turn.conversation.pk) == 1
        assert (wechat.texts, claimed.row.state) == ([ANSWER], ReplyState.SENT)
