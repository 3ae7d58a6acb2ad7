"""The worker sends a lone text in the very task that wrote it, without a second claim."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.models import Author, Channel, Conversation, Customer, Message, Reply, ReplyState
from conversations.turns.arriving import attach
from tests.factories import AccountFactory, ReplyFactory
from tests.faqs import HOURS, RETURNS
from tests.webhook.builders import push
from tests.worlds.api_stub import ApiStub
from tests.worlds.model_stub import ModelStub
from webhook.answering import answer_conversation
from webhook.intake import take_in
from webhook.recovery import mark_unknown
from wechat.errors import OutcomeUnknown, QuotaUsedUp, WeChatError, WeChatUnreachable
from wechat.models import OfficialAccount, ReplyMode

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]


@pytest.fixture
def account() -> OfficialAccount:
    return AccountFactory()


def asked(account: OfficialAccount, *texts: str, **values: object) -> int:
    """The customer's messages, in order, acknowledged; the conversation's id."""
    now = timezone.now().replace(microsecond=0)
    for seconds, text in enumerate(texts, start=-len(texts)):
        take_in(
            [
                push(
                    account,
                    text,
                    **{"hold_until": None, "sent_at": now + timedelta(seconds=seconds), **values},
                )
            ]
        )
    [conversation_id] = attach(list(Message.objects.values_list("pk", flat=True)))
    return conversation_id


def answer(conversation_id: int, model: ModelStub | None = None) -> None:
    answer_conversation(conversation_id, model=model or ModelStub())


def rows() -> list[tuple[str, str, int]]:
    return [(row.state, row.channel, row.tries) for row in Reply.objects.order_by("pk")]


def test_a_lone_text_is_sent_and_noted(account: OfficialAccount, wechat: ApiStub) -> None:
    answer(asked(account, RETURNS[0]))
    assert wechat.texts == [RETURNS[1]]
    assert rows() == [(ReplyState.SENT, Channel.API, 1)]
    assert Customer.objects.get().message_sends_left == 4


def test_it_is_being_sent_from_the_moment_it_is_written(
    account: OfficialAccount, wechat: ApiStub
) -> None:
    """So that no deliverer takes it as well, and a death on the way is seen."""
    seen: list[str] = []
    wechat.meanwhile = lambda: seen.append(Reply.objects.get().state)
    answer(asked(account, RETURNS[0]))
    assert seen == [ReplyState.SENDING]


def test_a_death_on_the_way_is_an_unknown_outcome(
    account: OfficialAccount, wechat: ApiStub
) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    wechat.meanwhile = die
    with pytest.raises(Killed):
        answer(asked(account, RETURNS[0]))
    mark_unknown(timezone.now() + timedelta(seconds=31))
    assert Reply.objects.get().state == ReplyState.UNKNOWN


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (WeChatUnreachable(), ReplyState.READY),
        (OutcomeUnknown(), ReplyState.UNKNOWN),
        (QuotaUsedUp(45047), ReplyState.WAITING_FOR_CUSTOMER),
    ],
)
def test_an_error_is_written_down_as_ever(
    account: OfficialAccount, wechat: ApiStub, error: WeChatError, state: ReplyState
) -> None:
    wechat.errors = [error]
    answer(asked(account, RETURNS[0]))
    assert Reply.objects.get().state == state


def test_parts_go_the_ordinary_way(
    account: OfficialAccount, wechat: ApiStub, model_is_configured: None
) -> None:
    answer(asked(account, "你们支持用比特币付款买二手火箭吗"), ModelStub("很长的一句回答。" * 200))
    assert len(wechat.texts) == 1
    assert [state for state, _, _ in rows()] == [ReplyState.SENT] + [ReplyState.READY] * (
        len(rows()) - 1
    )


def test_two_answers_in_a_row_keep_their_order_and_their_pause(
    account: OfficialAccount, wechat: ApiStub
) -> None:
    """The second one comes sooner than WeChat keeps an order: it is left
    to delivery, which waits.
    """
    answer(asked(account, RETURNS[0], HOURS[0]))
    assert wechat.texts == [RETURNS[1], HOURS[1]]


@pytest.mark.parametrize(
    "state", [ReplyState.READY, ReplyState.SENDING, ReplyState.WAITING_FOR_CUSTOMER]
)
def test_it_does_not_overtake_what_is_due_before_it(
    account: OfficialAccount, wechat: ApiStub, state: ReplyState
) -> None:
    conversation_id = asked(account, RETURNS[0])
    before = ReplyFactory(
        conversation=Conversation.objects.get(),
        author=Author.AGENT,
        message=None,
        text="早先的话",
        state=state,
        created_at=timezone.now() - timedelta(minutes=1),
    )
    answer(conversation_id)
    assert RETURNS[1] not in wechat.texts[:1]
    assert Reply.objects.exclude(pk=before.pk).get().state == ReplyState.READY


def test_the_last_send_is_kept_for_a_person(account: OfficialAccount, wechat: ApiStub) -> None:
    conversation_id = asked(account, RETURNS[0])
    Customer.objects.update(message_sends_left=1)
    answer(conversation_id)
    assert wechat.tried == 0
    assert Reply.objects.get().state == ReplyState.WAITING_FOR_CUSTOMER
    assert Customer.objects.get().message_sends_left == 1


def test_a_word_of_the_system_may_take_the_last_send(
    account: OfficialAccount, wechat: ApiStub
) -> None:
    conversation_id = asked(account, "转人工")
    Customer.objects.update(message_sends_left=1)
    answer(conversation_id)
    assert len(wechat.texts) == 1
    assert Customer.objects.get().message_sends_left == 0


def test_the_window_that_closes_first_is_spent_first(
    account: OfficialAccount, wechat: ApiStub
) -> None:
    conversation_id = asked(account, RETURNS[0])
    Customer.objects.update(
        event_sends_left=3, event_window_until=timezone.now() + timedelta(seconds=50)
    )
    answer(conversation_id)
    row = Customer.objects.get()
    assert (row.event_sends_left, row.message_sends_left) == (2, 5)


def test_it_is_left_to_a_request_that_waits(account: OfficialAccount, wechat: ApiStub) -> None:
    answer(asked(account, RETURNS[0], hold_until=timezone.now() + timedelta(seconds=9)))
    assert wechat.tried == 0
    assert Reply.objects.get().state == ReplyState.READY


def test_an_unverified_account_sends_nothing(wechat: ApiStub) -> None:
    answer(asked(AccountFactory(reply_mode=ReplyMode.PASSIVE), RETURNS[0]))
    assert wechat.tried == 0
    assert Reply.objects.get().state == ReplyState.WAITING_FOR_CUSTOMER
