"""What a person does on the phone, as the page sends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from simulator import background
from simulator.models import Bubble, Exchange, Follower
from simulator.pushes import Push

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]


def test_a_text_is_shown_and_pushed(post: Post, follower: Follower, pushed: list[Push]) -> None:
    answer = post(f"customers/{follower.pk}/say/", {"text": "怎么退货"})
    assert answer.status_code == 202
    assert Bubble.objects.get().text == "怎么退货"
    assert (pushed[0].kind, dict(pushed[0].fields)) == ("text", {"Content": "怎么退货"})


def test_a_text_opens_the_window_of_five(
    post: Post, follower: Follower, pushed: list[Push]
) -> None:
    post(f"customers/{follower.pk}/say/", {"text": "怎么退货"})
    follower.refresh_from_db()
    assert (follower.message_sends_left, follower.event_sends_left) == (5, 0)


def test_a_tap_sends_its_words_and_opens_the_window_of_three(
    post: Post, follower: Follower, pushed: list[Push]
) -> None:
    post(f"customers/{follower.pk}/tap/", {"content": "查看回复", "option_id": "m7"})
    follower.refresh_from_db()
    assert dict(pushed[0].fields) == {"Content": "查看回复", "bizmsgmenuid": "m7"}
    assert (follower.message_sends_left, follower.event_sends_left) == (0, 3)


def test_following_and_unfollowing_are_events(
    post: Post, follower: Follower, pushed: list[Push]
) -> None:
    post(f"customers/{follower.pk}/unfollow/", {})
    post(f"customers/{follower.pk}/follow/", {})
    assert [dict(push.fields)["Event"] for push in pushed] == ["unsubscribe", "subscribe"]


@pytest.mark.parametrize("action", ["image", "location"])
def test_other_messages_are_pushed_with_their_kind(
    post: Post, follower: Follower, pushed: list[Push], action: str
) -> None:
    assert post(f"customers/{follower.pk}/{action}/", {}).status_code == 202
    assert pushed[0].kind == action
    assert Bubble.objects.get().kind == action


def test_a_menu_click_is_an_event_with_its_key(
    post: Post, follower: Follower, pushed: list[Push]
) -> None:
    post(f"customers/{follower.pk}/click/", {"key": "HELP"})
    assert dict(pushed[0].fields) == {"Event": "CLICK", "EventKey": "HELP"}


@pytest.mark.parametrize(
    "given", [{"text": ""}, {"text": "  "}, {"text": 5}, {}, {"text": "长" * 2001}, [], "text"]
)
def test_it_refuses_what_no_phone_would_send(
    post: Post, follower: Follower, pushed: list[Push], given: object
) -> None:
    answer = post(f"customers/{follower.pk}/say/", given)
    assert answer.status_code == 409
    assert answer.json()["error"]
    assert not pushed
    assert not Bubble.objects.exists()


def test_it_refuses_a_body_that_is_no_json(client: Client, follower: Follower) -> None:
    answer = client.post(
        f"/simulator/customers/{follower.pk}/say/", b"{", content_type="application/json"
    )
    assert answer.status_code == 409


def test_half_a_character_is_left_out(post: Post, follower: Follower, pushed: list[Push]) -> None:
    post(f"customers/{follower.pk}/say/", {"text": "退\ud83d货\0"})
    assert dict(pushed[0].fields) == {"Content": "退货"}


def test_who_does_not_follow_cannot_write(
    post: Post, follower: Follower, pushed: list[Push]
) -> None:
    follower.unfollow()
    assert post(f"customers/{follower.pk}/say/", {"text": "在吗"}).status_code == 409
    assert not pushed


def test_there_is_no_other_action(post: Post, follower: Follower) -> None:
    assert post(f"customers/{follower.pk}/dance/", {}).status_code == 404
    assert post("customers/999/say/", {"text": "在吗"}).status_code == 404


def test_a_new_customer_follows_at_once(post: Post, pushed: list[Push]) -> None:
    answer = post("customers/", {"name": "王芳"})
    assert answer.status_code == 201
    made = Follower.objects.get()
    assert (made.name, made.following, len(made.openid)) == ("王芳", True, 28)
    assert pushed[0].kind == "event.subscribe"


def test_customers_without_a_name_get_one_each(post: Post, pushed: list[Push]) -> None:
    for _ in range(12):
        post("customers/", {})
    assert len(set(Follower.objects.values_list("name", flat=True))) == 12


def test_starting_over_empties_the_phone_and_changes_the_openid(
    post: Post, follower: Follower, pushed: list[Push]
) -> None:
    before = follower.openid
    follower.open_message_window(timezone.now())
    post(f"customers/{follower.pk}/say/", {"text": "怎么退货"})
    Exchange.objects.create(
        follower=follower, kind="push", label="text", method="POST", url="http://x"
    )
    assert post(f"customers/{follower.pk}/start-over/", {}).status_code == 202
    follower.refresh_from_db()
    assert follower.openid != before
    assert not Exchange.objects.exists()
    assert [bubble.kind for bubble in Bubble.objects.all()] == ["followed"]
    assert follower.message_window_until is None
    assert (pushed[-1].kind, pushed[-1].openid) == ("event.subscribe", follower.openid)


def test_too_many_pushes_at_once_are_refused_kindly(
    post: Post, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise background.TooMuchAtOnce

    monkeypatch.setattr(background, "run", full)
    assert post(f"customers/{follower.pk}/say/", {"text": "在吗"}).status_code == 503
