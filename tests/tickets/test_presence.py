"""A person is promised only while one is there: a page of the desk is open, or they just did
something.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisIsAway

from common.redis import redis
from conversations.models import Reply
from tests.factories import held_turn, make_agent, next_turn
from tickets import presence
from tickets.models import Agent, Reason, Ticket
from tickets.services import add_message, hand_over

pytestmark = pytest.mark.django_db

PROMISES = ("已为您转", "已转给人工", "正在排队")
HERE = "/desk/here/"
PAGE, ANOTHER_PAGE = "0123456789abc", "zzzzzzzzzzzzz"


@pytest.fixture
def away(db: None) -> Agent:
    """An agent who takes tickets and is at home."""
    return make_agent("李明", there=False)


@pytest.fixture
def browser(away: Agent) -> Client:
    client = Client()
    client.force_login(away.user)
    return client


def said(reason: Reason = Reason.CUSTOMER_ASKED) -> str:
    hand_over(held_turn(), reason=reason)
    return Reply.objects.latest("pk").text


def promises(text: str) -> bool:
    return any(words in text for words in PROMISES)


def seconds_pass(seconds: float) -> None:
    """Everything that was noted is older than it was."""
    for member, score in redis().zscan_iter(presence.KEY):
        redis().zadd(presence.KEY, {member: score - seconds})


@pytest.mark.parametrize(
    "reason", [Reason.CUSTOMER_ASKED, Reason.NOTHING_MATCHED, Reason.MODEL_UNSURE]
)
def test_an_agent_who_takes_tickets_but_is_not_there_is_not_promised(
    away: Agent, reason: Reason
) -> None:
    text = said(reason)

    assert not promises(text)
    assert Ticket.objects.get().number in text
    assert Ticket.objects.get().assignee == away


def test_who_waits_is_not_told_of_a_queue_that_nobody_serves(away: Agent) -> None:
    turn = held_turn()
    hand_over(turn, reason=Reason.NOTHING_MATCHED)
    add_message(next_turn(turn.conversation, "有人吗"))

    text = Reply.objects.latest("pk").text
    assert not promises(text)
    assert "取消人工" in text


def test_an_open_page_is_an_agent_who_is_there_and_a_closed_one_is_not(browser: Client) -> None:
    browser.post(HERE, {"page": PAGE})
    browser.post(HERE, {"page": ANOTHER_PAGE})
    assert said() == "已为您转接人工客服，请稍候。"

    browser.post(HERE, {"page": PAGE, "closed": "1"})
    assert promises(said())  # The other page is still open.

    browser.post(HERE, {"page": ANOTHER_PAGE, "closed": "1"})
    assert not promises(said())


def test_a_browser_that_died_stops_to_count(browser: Client) -> None:
    browser.post(HERE, {"page": PAGE})

    seconds_pass(presence.PAGE_SECONDS + 1)

    assert not promises(said())


def test_an_action_counts_for_five_minutes(browser: Client, away: Agent) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    browser.post(reverse("desk:resolve", args=[ticket.pk]))
    assert promises(said())

    seconds_pass(4 * 60)
    assert promises(said())

    seconds_pass(61)
    assert not promises(said())


def test_only_one_who_may_answer_is_there_by_an_open_page(browser: Client, away: Agent) -> None:
    away.user.user_permissions.clear()

    assert browser.post(HERE, {"page": PAGE}).status_code == 204
    assert presence.agents_there() == frozenset()


@pytest.mark.parametrize("page", ["", "short", "x" * 41, "../../../etc", "1:2:3:4:5"])
def test_a_page_without_a_fit_name_is_not_noted(browser: Client, page: str) -> None:
    browser.post(HERE, {"page": page})

    assert presence.agents_there() == frozenset()


def test_the_page_of_a_ticket_and_the_list_tell_that_they_are_open(browser: Client) -> None:
    ticket = hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
    for address in (
        reverse("desk:queue"),
        reverse("desk:ticket", args=[ticket.pk]),
    ):
        page = browser.get(address).content.decode()
        assert f'action="{HERE}"' in page
        assert "tickets/here.js" in page


def test_a_ticket_goes_to_who_is_there_whatever_they_have_to_do(away: Agent) -> None:
    busy = make_agent("王芳")
    tickets = [hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED) for _ in range(3)]

    assert {ticket.assignee for ticket in tickets} == {busy}


def test_nobody_is_promised_while_redis_is_away(
    away: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence.agent_did_something(away.pk)

    def no_redis() -> None:
        raise RedisIsAway

    monkeypatch.setattr(presence, "redis", no_redis)

    assert not promises(said())
    presence.page_is_open(away.pk, PAGE)
    presence.page_was_closed(away.pk, PAGE)


def test_the_list_of_agents_shows_who_is_there(admin_client: Client, away: Agent) -> None:
    make_agent("王芳")
    page = admin_client.get(reverse("admin:tickets_agent_changelist")).content.decode()

    assert "在线" in page
    rows = admin_client.get(reverse("admin:tickets_agent_changelist")).context["cl"].queryset
    assert {agent.display_name: agent.there for agent in rows} == {"李明": False, "王芳": True}
