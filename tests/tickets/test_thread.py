"""What belongs to a ticket's conversation, and how it reads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Author, Conversation, Message
from conversations.replies.links import LOOK_OPTION_ID, LOOK_WORDS
from tests.factories import MessageFactory, ReplyFactory, held_turn, next_turn
from tickets.desk.thread import Bubble, thread_of
from tickets.models import Agent, Reason, Ticket
from tickets.services import cancel, hand_over, resolve, take
from wechat.kinds import BY_CODE
from wechat.traits import Line, Speech

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(liming: Agent) -> Ticket:
    return hand_over(held_turn(text="鞋子小了能换吗"), reason=Reason.CUSTOMER_ASKED)


def shown(ticket: Ticket, newest: int = 80) -> list[Bubble]:
    ticket.refresh_from_db()
    return list(thread_of(ticket, newest=newest).bubbles)


def later(conversation: Conversation) -> Ticket:
    """The customer needs a person again."""
    return hand_over(next_turn(conversation, "发票怎么开"), reason=Reason.CUSTOMER_ASKED)


class TestAResolvedTicket:
    def test_it_ends_at_the_resolution(self, ticket: Ticket, liming: Agent) -> None:
        take(ticket, liming)
        resolve(ticket, liming)
        second = later(ticket.conversation)
        ReplyFactory(conversation=ticket.conversation, text="在订单页申请。")
        *_, end = found = shown(ticket)
        assert (end.text, end.at, end.is_end) == ("已解决 · 李明", ticket.resolved_at, True)
        assert not {"发票怎么开", "在订单页申请。"} & {bubble.text for bubble in found}
        assert {"鞋子小了能换吗", "发票怎么开", "在订单页申请。"} <= {
            bubble.text for bubble in shown(second)
        }
        assert not any(bubble.is_end for bubble in shown(second))

    def test_it_says_when_it_was_the_customer_who_ended_it(self, ticket: Ticket) -> None:
        cancel(next_turn(ticket.conversation, "取消"))
        later(ticket.conversation)
        *_, wish, end = shown(ticket)
        assert [wish.text, end.text] == ["取消", "客户取消了人工"]

    def test_it_leads_to_what_came_after(self, ticket: Ticket, liming: Agent) -> None:
        client = Client()
        client.force_login(liming.user)
        address = reverse("desk:ticket", args=[ticket.pk])
        resolve(ticket, liming)
        assert "这位客户之后的工单" not in client.get(address).content.decode()
        second = later(ticket.conversation)
        found = client.get(address).content.decode()
        assert f"这位客户之后的工单 {second}</a>" in found
        assert reverse("desk:ticket", args=[second.pk]) in found

    def test_it_counts_the_customers_other_tickets_on_each_of_them(
        self, ticket: Ticket, liming: Agent
    ) -> None:
        client = Client()
        client.force_login(liming.user)
        resolve(ticket, liming)
        second = later(ticket.conversation)
        hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED)
        for one in (ticket, second):
            found = client.get(reverse("desk:live", args=[one.pk])).json()["pieces"]["facts"]
            assert f'q={ticket.customer.openid}">1</a>' in found


SHOWN = {
    "text": ("customer", "鞋子小了能换吗？😀", ""),
    "image": ("customer", "[图片]", "http://mmbiz.qpic.cn/mmbiz_jpg/iaXcDu2bQ/0"),
    "voice": ("customer", "[语音] 我想退货", ""),
    "video": ("customer", "[视频]", ""),
    "shortvideo": ("customer", "[小视频]", ""),
    "location": ("customer", "[位置] 广州市天河区体育东路 138 号", ""),
    "link": ("customer", "[链接] 公众平台官网链接 https://mp.weixin.qq.com/?a=1&b=2", ""),
    "miniprogrampage": ("customer", "[小程序卡片] 订单详情", ""),
    "unsupported": ("customer", "[看不懂的消息]", ""),
    "event.subscribe": ("system", "客户关注了公众号", ""),
    "event.unsubscribe": ("system", "客户取消了关注", ""),
    "event.click": ("system", "客户点了菜单「怎么退货」", ""),
}


class TestAKindOfPush:
    def after(self, ticket: Ticket, **values: object) -> list[tuple[str, str, str]]:
        before = len(shown(ticket))
        MessageFactory(conversation=ticket.conversation, **values)
        return [(found.side, found.text, found.picture) for found in shown(ticket)[before:]]

    @pytest.mark.parametrize("kind", SHOWN)
    def test_it_reads_as_it_does(self, ticket: Ticket, kind: str) -> None:
        text = SHOWN["text"][1] if kind == "text" else None
        assert self.after(ticket, kind=kind, text=text) == [SHOWN[kind]]

    @pytest.mark.parametrize("kind", BY_CODE)
    def test_it_is_a_bubble_or_a_line_or_nothing(self, ticket: Ticket, kind: str) -> None:
        """As its dataclass declares."""
        sides = {Speech: ["customer"], Line: ["system"], type(None): []}
        look = BY_CODE[kind].traits.look
        assert [side for side, _text, _picture in self.after(ticket, kind=kind)] == sides[
            type(look)
        ]

    def test_a_click_without_a_key_is_left_out(self, ticket: Ticket) -> None:
        assert self.after(ticket, kind="event.click", text="") == []

    def test_a_kind_of_a_newer_version_is_not_understood(self, ticket: Ticket) -> None:
        before = len(shown(ticket))
        for kind in ("message_of_tomorrow", "event.of_tomorrow"):
            row = MessageFactory(conversation=ticket.conversation, kind="image")
            Message.objects.filter(pk=row.pk).update(kind=kind)
        assert [bubble.text for bubble in shown(ticket)[before:]] == ["[看不懂的消息]"]


class TestTaps:
    def write(self, ticket: Ticket, *texts: str, option_id: str = "") -> None:
        for text in texts:
            self.seconds = getattr(self, "seconds", 0) + 1
            at = timezone.now() + timedelta(seconds=self.seconds)
            elements = {"bizmsgmenuid": option_id} if option_id else {}
            MessageFactory(
                conversation=ticket.conversation, text=text, elements=elements, received_at=at
            )

    def lines(self, ticket: Ticket) -> list[tuple[str, str]]:
        start = 1 + [bubble.text for bubble in shown(ticket)].index("分配给 李明")
        return [
            (bubble.side, bubble.text) for bubble in shown(ticket)[start:] if bubble.source == ""
        ]

    def test_it_shows_a_tap_as_what_it_is(self, ticket: Ticket) -> None:
        self.write(ticket, LOOK_WORDS)
        assert self.lines(ticket)[-1] == ("system", "客户查看了回复")

    def test_it_folds_several_in_a_row_into_one_line(self, ticket: Ticket) -> None:
        self.write(ticket, LOOK_WORDS, LOOK_WORDS)
        self.write(ticket, "任何文字", option_id=LOOK_OPTION_ID)
        self.write(ticket, "谢谢", LOOK_WORDS)
        assert self.lines(ticket)[-3:] == [
            ("system", "客户查看了 3 次回复"),
            ("customer", "谢谢"),
            ("system", "客户查看了回复"),
        ]

    def test_it_leaves_out_what_a_tap_without_a_reply_was_told(self, ticket: Ticket) -> None:
        for _ in range(2):
            self.write(ticket, LOOK_WORDS)
            tap = ticket.conversation.messages.latest("received_at")
            values = {"message": tap, "author": Author.SYSTEM, "created_at": tap.received_at}
            ReplyFactory(
                conversation=ticket.conversation, text="目前还没有新的回复，请稍候。", **values
            )
        assert self.lines(ticket)[-1] == ("system", "客户查看了 2 次回复")
        assert "目前还没有新的回复，请稍候。" not in [bubble.text for bubble in shown(ticket)]

    def test_it_knows_a_tap_that_an_older_version_stored(self, ticket: Ticket) -> None:
        self.write(ticket, "任何文字")
        Message.objects.filter(text="任何文字").update(fields={"menu_id": LOOK_OPTION_ID})
        assert self.lines(ticket)[-1] == ("system", "客户查看了回复")

    def test_it_leaves_words_that_a_customer_may_have_meant(self, ticket: Ticket) -> None:
        self.write(ticket, "继续")
        assert self.lines(ticket)[-1] == ("customer", "继续")

    def test_it_still_leads_to_what_was_said_before_many_taps(self, ticket: Ticket) -> None:
        self.write(ticket, *[LOOK_WORDS] * 12)
        thread = thread_of(ticket, newest=10)
        assert thread.has_earlier
        assert [bubble.text for bubble in thread.bubbles] == ["客户查看了 10 次回复"]
