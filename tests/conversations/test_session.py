"""Session memory, exactly as the outside may rely on it, and how a lost Redis is made good."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from common.redis import redis
from conversations import session
from conversations.models import Author, Conversation, MessageState, ReplyState
from conversations.replies.by_hand import write_to_customer
from conversations.session import Session
from tests.factories import ConversationFactory, MessageFactory, ReplyFactory
from tests.knowledge.builders import absent_redis
from wechat import accounts

pytestmark = pytest.mark.django_db

OPENID = "oSessionCustomer"


@pytest.fixture
def conversation() -> Conversation:
    return ConversationFactory(customer__openid=OPENID)


def exchange(
    conversation: Conversation,
    question: str,
    answer: str,
    *,
    minutes_ago: int = 1,
    **values: object,
) -> None:
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    message = MessageFactory(
        conversation=conversation,
        text=question,
        sent_at=moment,
        received_at=moment,
        state=MessageState.ANSWERED,
    )
    ReplyFactory(
        conversation=conversation, message=message, text=answer, created_at=moment, **values
    )


def stored() -> dict[str, object]:
    return json.loads(redis().get(f"session:{OPENID}"))


def test_it_keeps_questions_and_answers_in_turn_under_the_customers_openid() -> None:
    before = int(time.time())
    session.remember(OPENID, Session(), question="怎么退货", answer="七天内可以。")
    session.remember(
        OPENID, Session(("怎么退货", "七天内可以。")), question="运费呢", answer="我们承担。"
    )
    value = stored()
    assert value["context"] == ["怎么退货", "七天内可以。", "运费呢", "我们承担。"]
    assert before <= value["timestamp"] <= int(time.time())
    assert isinstance(value["timestamp"], int)


def test_it_uses_exactly_this_one_key() -> None:
    session.remember(OPENID, Session(), question="怎么退货", answer="七天内可以。")
    assert redis().keys("*session*") == [f"session:{OPENID}".encode()]


def test_it_ends_half_an_hour_after_the_last_exchange() -> None:
    session.remember(OPENID, Session(), question="怎么退货", answer="七天内可以。")
    assert 1790 < redis().ttl(f"session:{OPENID}") <= 1800


def test_it_takes_its_life_from_the_setting(settings: Settings) -> None:
    settings.SESSION_TTL_SECONDS = 60
    session.remember(OPENID, Session(), question="怎么退货", answer="七天内可以。")
    assert 50 < redis().ttl(f"session:{OPENID}") <= 60


def test_it_reads_what_it_wrote(conversation: Conversation) -> None:
    session.remember(OPENID, Session(), question="怎么退", answer="您是想问：…", offered=(7, 3))
    assert session.load(conversation, OPENID) == Session(("怎么退", "您是想问：…"), (7, 3))


def test_it_forgets_the_menu_with_the_next_answer(conversation: Conversation) -> None:
    session.remember(OPENID, Session(), question="怎么退", answer="您是想问：…", offered=(7, 3))
    session.remember(
        OPENID, session.load(conversation, OPENID), question="1", answer="七天内可以。"
    )
    assert session.load(conversation, OPENID).offered == ()


def test_a_menu_that_answers_nothing_leaves_what_was_said(conversation: Conversation) -> None:
    session.remember(OPENID, Session(), question="怎么退", answer="七天内可以。")
    session.offer(OPENID, session.load(conversation, OPENID), (7, 3))
    assert session.load(conversation, OPENID) == Session(("怎么退", "七天内可以。"), (7, 3))


def test_it_finds_the_menu_of_the_system_in_the_rows(conversation: Conversation) -> None:
    exchange(conversation, "怎么退", "七天内可以。", minutes_ago=3)
    ReplyFactory(conversation=conversation, author=Author.SYSTEM, text="欢迎：…", options=[7, 3])
    ReplyFactory(conversation=conversation, author=Author.SYSTEM, text="请用文字描述。")
    assert session.rebuild(conversation) == Session(("怎么退", "七天内可以。"), (7, 3))


def test_it_keeps_the_last_ten_exchanges(conversation: Conversation) -> None:
    for number in range(12):
        session.remember(
            OPENID, session.load(conversation, OPENID), question=f"问{number}", answer=f"答{number}"
        )
    context = session.load(conversation, OPENID).context
    assert len(context) == 20
    assert context[0] == "问2"
    assert context[-1] == "答11"


def test_it_is_empty_for_a_new_customer(conversation: Conversation) -> None:
    assert session.load(conversation, OPENID) == Session()


def test_it_rebuilds_a_lost_session_from_the_messages(conversation: Conversation) -> None:
    exchange(conversation, "怎么退货", "七天内可以。", minutes_ago=9)
    exchange(conversation, "运费呢", "我们承担。", minutes_ago=5)
    assert session.load(conversation, OPENID).context == (
        "怎么退货",
        "七天内可以。",
        "运费呢",
        "我们承担。",
    )


def test_it_rebuilds_nothing_older_than_the_sessions_life(conversation: Conversation) -> None:
    exchange(conversation, "昨天的问题", "昨天的回答", minutes_ago=31)
    exchange(conversation, "今天的问题", "今天的回答", minutes_ago=29)
    assert session.load(conversation, OPENID).context == ("今天的问题", "今天的回答")


def test_it_rebuilds_the_menu_that_was_offered_last(conversation: Conversation) -> None:
    exchange(conversation, "怎么退", "您是想问：…", options=[7, 3])
    assert session.load(conversation, OPENID).offered == (7, 3)


def test_it_rebuilds_no_menu_that_another_answer_has_ended(conversation: Conversation) -> None:
    exchange(conversation, "怎么退", "您是想问：…", options=[7, 3], minutes_ago=3)
    exchange(conversation, "运费呢", "我们承担。", minutes_ago=2)
    assert session.load(conversation, OPENID).offered == ()


def test_it_puts_the_parts_of_one_answer_together(conversation: Conversation) -> None:
    message = MessageFactory(
        conversation=conversation, text="怎么退货", state=MessageState.ANSWERED
    )
    for part, text in enumerate(["第一段。", "第二段。"], start=1):
        ReplyFactory(conversation=conversation, message=message, part=part, text=text)
    assert session.load(conversation, OPENID).context == ("怎么退货", "第一段。\n第二段。")


def test_it_leaves_out_what_the_customer_never_read(conversation: Conversation) -> None:
    exchange(conversation, "怎么退货", "七天内可以。", minutes_ago=3)
    exchange(
        conversation, "运费呢", "被人工接手而撤回的回答", state=ReplyState.WITHDRAWN, minutes_ago=2
    )
    exchange(conversation, "多久到账", "没有送达的回答", state=ReplyState.FAILED, minutes_ago=1)
    assert session.load(conversation, OPENID).context == ("怎么退货", "七天内可以。")


def test_it_leaves_out_the_words_of_the_system(conversation: Conversation) -> None:
    exchange(conversation, "转人工", "已为您转接人工客服。", author=Author.SYSTEM)
    assert session.load(conversation, OPENID).context == ()


def test_it_counts_an_agents_words_as_the_answer_to_what_was_left_to_people(
    conversation: Conversation,
) -> None:
    earlier = timezone.now() - timedelta(minutes=2)
    for text in ("快递到哪了", "单号 123"):
        MessageFactory(
            conversation=conversation,
            text=text,
            sent_at=earlier,
            received_at=earlier,
            state=MessageState.HANDED_OVER,
        )
    for text in ("您好，", "已经到上海了。"):
        write_to_customer(conversation, text, author=Author.AGENT, agent_name="李明")
    assert session.load(conversation, OPENID).context == (
        "快递到哪了\n单号 123",
        "您好，\n已经到上海了。",
    )


def test_it_forgets_the_stored_session_when_an_agent_has_written(
    conversation: Conversation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    session.remember(OPENID, Session(), question="快递到哪了", answer="我不清楚。")
    with django_capture_on_commit_callbacks(execute=True):
        write_to_customer(conversation, "已经到上海了。", author=Author.AGENT, agent_name="李明")
    assert session.load(conversation, OPENID).context[-1] == "已经到上海了。"


@pytest.mark.parametrize("value", ["no json", "[1, 2]", '{"timestamp": 1}', "null"])
def test_it_rebuilds_a_session_that_it_cannot_read(conversation: Conversation, value: str) -> None:
    exchange(conversation, "怎么退货", "七天内可以。")
    redis().set(f"session:{OPENID}", value)
    assert session.load(conversation, OPENID).context == ("怎么退货", "七天内可以。")


def test_it_goes_on_without_redis(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "redis", absent_redis)
    exchange(conversation, "怎么退货", "七天内可以。")
    session.remember(OPENID, Session(), question="运费呢", answer="我们承担。")
    session.forget(OPENID)
    assert session.load(conversation, OPENID).context == ("怎么退货", "七天内可以。")


def test_two_accounts_share_no_session_of_the_same_openid(conversation: Conversation) -> None:
    other = ConversationFactory(customer__openid=OPENID)
    assert other.account_id != conversation.account_id
    whose = accounts.namespace(other.account_id)
    session.remember(OPENID, Session(), question="怎么退货", answer="七天内可以。")
    session.remember(OPENID, Session(), question="多少钱", answer="十元。", whose=whose)

    assert session.load(conversation, OPENID).context == ("怎么退货", "七天内可以。")
    assert session.load(other, OPENID).context == ("多少钱", "十元。")
    assert set(redis().keys("*session*")) == {
        f"session:{OPENID}".encode(),
        f"session:{other.account_id}:{OPENID}".encode(),
    }

    session.forget(OPENID, whose=whose)
    assert session.load(conversation, OPENID).context == ("怎么退货", "七天内可以。")


def test_the_first_account_keeps_its_keys_when_another_one_becomes_the_default(
    conversation: Conversation,
) -> None:
    other = ConversationFactory(customer__openid=OPENID)
    accounts.make_default(other.account)

    assert accounts.namespace(conversation.account_id) == ""
    assert accounts.namespace(other.account_id) == str(other.account_id)
