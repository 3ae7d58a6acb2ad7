from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Author, Customer, Owner, Reply, ReplyState
from tests.factories import MessageFactory, ReplyFactory, held_turn, make_agent
from tickets.desk.window import reply_window
from tickets.models import Agent, Reason, Status, Ticket
from tickets.services import hand_over, reply, resolve, take

pytestmark = pytest.mark.django_db

AS_SCRIPT = {"headers": {"accept": "application/json"}}


def url(name: str, ticket: Ticket) -> str:
    return reverse(f"desk:{name}", args=[ticket.pk])


@pytest.fixture
def ticket(liming: Agent) -> Ticket:
    return hand_over(held_turn(text="鞋子小了能换吗"), reason=Reason.CUSTOMER_ASKED)


@pytest.fixture
def desk(liming: Agent) -> Client:
    client = Client()
    client.force_login(liming.user)
    return client


def page(client: Client, ticket: Ticket, **query: object) -> str:
    return client.get(url("ticket", ticket), query).content.decode()


def test_it_shows_the_whole_conversation_in_its_order(desk: Client, ticket: Ticket) -> None:
    conversation = ticket.conversation
    ReplyFactory(
        conversation=conversation, text="支持 7 天无理由。", source="faq", state=ReplyState.SENT
    )
    reply(ticket, ticket.assignee, "您好，可以换。")
    found = page(desk, ticket)
    places = [
        found.index(words)
        for words in (
            "鞋子小了能换吗",
            "已转人工：客户要求人工",
            "支持 7 天无理由。",
            "您好，可以换。",
        )
    ]
    assert places == sorted(places)
    assert "机器人" in found
    assert "FAQ" in found
    assert "已发送" in found


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (ReplyState.WAITING_FOR_CUSTOMER, "", "等客户下一条消息"),
        (ReplyState.UNKNOWN, "", "结果未知"),
        (ReplyState.FAILED, "45015 回复窗口已关闭", "45015 回复窗口已关闭"),
    ],
)
def test_it_says_what_became_of_each_text(
    desk: Client, ticket: Ticket, state: ReplyState, reason: str, words: str
) -> None:
    ReplyFactory(conversation=ticket.conversation, author=Author.AGENT, state=state, reason=reason)
    assert words in page(desk, ticket)


def test_it_shows_pictures_as_links_and_trusts_no_words_of_a_customer(
    desk: Client, ticket: Ticket
) -> None:
    values = {"conversation": ticket.conversation}
    MessageFactory(kind="image", elements={"PicUrl": "http://mmbiz.qpic.cn/a"}, **values)
    MessageFactory(kind="image", elements={"PicUrl": "javascript:alert(1)"}, **values)
    MessageFactory(text="<script>alert(1)</script>", **values)
    found = page(desk, ticket)
    for attribute in ("href", "src"):
        assert f'{attribute}="http://mmbiz.qpic.cn/a"' in found
    assert "javascript:alert" not in found
    assert "&lt;script&gt;alert(1)" in found


def test_it_shows_the_bots_menu_without_its_links(desk: Client, ticket: Ticket) -> None:
    ReplyFactory(
        conversation=ticket.conversation, text='<a href="weixin://bizmsgmenu?x">1. 退货</a>'
    )
    found = page(desk, ticket)
    assert "1. 退货" in found
    assert "weixin://" not in found


def test_it_shows_the_newest_and_leads_to_what_was_said_before(
    desk: Client, ticket: Ticket
) -> None:
    for number in range(100):
        MessageFactory(
            conversation=ticket.conversation,
            text=f"第{number}句。",
            received_at=timezone.now() + timedelta(seconds=number),
        )
    found = page(desk, ticket)
    assert "第99句。" in found
    assert "第0句。" not in found
    assert "显示更早的消息" in found
    assert "第0句。" in page(desk, ticket, newest=300)
    assert "第0句。" not in page(
        desk, ticket, newest="9" * 5000
    )  # More digits than Python reads: as if not asked.


class TestTheReplyWindow:
    def test_it_says_how_much_may_be_sent_and_until_when(
        self, desk: Client, ticket: Ticket
    ) -> None:
        until = timezone.now() + timedelta(hours=47, minutes=30)
        Customer.objects.update(message_sends_left=5, message_window_until=until)
        found = page(desk, ticket)
        assert "还可发 5 条" in found
        assert "剩 47 小时" in found

    def test_it_tells_the_sends_of_a_minute_apart_from_those_that_last(
        self, desk: Client, ticket: Ticket
    ) -> None:
        now = timezone.now()
        Customer.objects.update(
            message_sends_left=5, message_window_until=now + timedelta(hours=47, minutes=30)
        )
        Customer.objects.update(event_sends_left=3, event_window_until=now + timedelta(seconds=50))
        ticket.conversation.customer.refresh_from_db()
        window = reply_window(ticket.conversation, now)
        assert window.in_full == "还可发 5 条，剩 47 小时 30 分；另有 3 条，50 秒内有效"
        assert "另有 3 条" in page(desk, ticket)
        assert (
            reply_window(ticket.conversation, now + timedelta(minutes=1)).in_full
            == "还可发 5 条，剩 47 小时 29 分"
        )

    def test_it_says_how_long_it_may_still_send_after_a_tap_alone(self, ticket: Ticket) -> None:
        now = timezone.now()
        Customer.objects.update(
            message_sends_left=0, event_sends_left=3, event_window_until=now + timedelta(seconds=9)
        )
        ticket.conversation.customer.refresh_from_db()
        window = reply_window(ticket.conversation, now)
        assert (window.is_open, window.in_full) == (True, "还可发 3 条，剩 9 秒")

    def test_it_says_that_a_closed_window_makes_the_words_wait(
        self, desk: Client, ticket: Ticket
    ) -> None:
        Customer.objects.update(message_sends_left=0)
        found = page(desk, ticket)
        assert "等客户下一条消息" in found
        assert "composer is-closed" in found

    def test_it_says_that_a_passive_account_waits_for_the_next_message(
        self, desk: Client, liming: Agent
    ) -> None:
        ticket = hand_over(held_turn(passive=True), reason=Reason.CUSTOMER_ASKED)
        assert "只能被动回复" in page(desk, ticket)


class TestAnswering:
    def test_it_sends_the_reply_and_shows_it_without_a_reload(
        self, desk: Client, ticket: Ticket
    ) -> None:
        response = desk.post(url("reply", ticket), {"text": " 可以换。\n请寄回。 "}, **AS_SCRIPT)
        state = response.json()
        assert state["problem"] == ""
        assert "可以换。<br>请寄回。" in state["pieces"]["thread"]
        sent = Reply.objects.get(author=Author.AGENT)
        assert (sent.text, sent.agent_name) == ("可以换。\n请寄回。", "李明")

    def test_it_works_without_the_script(self, desk: Client, ticket: Ticket) -> None:
        response = desk.post(url("reply", ticket), {"text": "可以换。"}, follow=True)
        assert "可以换。" in response.content.decode()

    @pytest.mark.parametrize("text", ["", "   \n ", "长" * 2501])
    def test_it_refuses_an_empty_or_endless_reply_and_says_why(
        self, desk: Client, ticket: Ticket, text: str
    ) -> None:
        response = desk.post(url("reply", ticket), {"text": text}, **AS_SCRIPT)
        assert response.status_code == 400
        assert response.json()["problem"]
        assert not Reply.objects.filter(author=Author.AGENT).exists()

    def test_it_says_that_a_colleague_is_already_answering(
        self, desk: Client, ticket: Ticket, wangfang: Agent
    ) -> None:
        take(ticket, wangfang)
        response = desk.post(url("reply", ticket), {"text": "我来"}, **AS_SCRIPT)
        assert response.status_code == 409
        assert "王芳" in response.json()["problem"]

    def test_it_says_that_the_ticket_is_resolved_already(
        self, desk: Client, ticket: Ticket, liming: Agent
    ) -> None:
        resolve(ticket, liming)
        response = desk.post(url("reply", ticket), {"text": "还在吗"}, **AS_SCRIPT)
        assert response.status_code == 409
        assert not response.json()["is_open"]

    def test_it_takes_and_resolves(self, desk: Client, ticket: Ticket) -> None:
        assert desk.post(url("take", ticket), **AS_SCRIPT).json()["problem"] == ""
        ticket.conversation.refresh_from_db()
        assert ticket.conversation.owner == Owner.AGENT
        assert desk.post(url("resolve", ticket), **AS_SCRIPT).json()["is_open"] is False
        ticket.conversation.refresh_from_db()
        assert ticket.conversation.owner == Owner.BOT

    def test_it_takes_over_only_from_the_colleague_whom_the_agent_saw(
        self, desk: Client, ticket: Ticket, liming: Agent, wangfang: Agent
    ) -> None:
        take(ticket, wangfang)
        seen_nobody = desk.post(url("take", ticket), {"seen": str(liming.pk)}, **AS_SCRIPT)
        assert seen_nobody.status_code == 409
        assert (
            desk.post(url("take", ticket), {"seen": str(wangfang.pk)}, **AS_SCRIPT).status_code
            == 200
        )
        ticket.refresh_from_db()
        assert ticket.assignee == liming

    def test_it_hands_the_ticket_on_and_sets_its_priority(
        self, desk: Client, ticket: Ticket, wangfang: Agent
    ) -> None:
        desk.post(url("transfer", ticket), {"agent": wangfang.pk})
        desk.post(url("prioritise", ticket), {"priority": "3"})
        ticket.refresh_from_db()
        assert (ticket.assignee, ticket.priority) == (wangfang, 3)
        assert (
            desk.post(url("prioritise", ticket), {"priority": "9"}, **AS_SCRIPT).status_code == 400
        )


class TestFollowing:
    def digest(self, client: Client, ticket: Ticket) -> str:
        found = re.search(r'data-digest="(\w+)"', page(client, ticket))
        assert found is not None
        return found[1]

    def test_it_says_that_nothing_changed(self, desk: Client, ticket: Ticket) -> None:
        response = desk.get(url("live", ticket), {"digest": self.digest(desk, ticket)})
        assert response.status_code == 204

    def test_it_brings_a_new_message_and_a_changed_state(
        self, desk: Client, ticket: Ticket
    ) -> None:
        waiting = ReplyFactory(conversation=ticket.conversation, state=ReplyState.READY)
        digest = self.digest(desk, ticket)
        MessageFactory(conversation=ticket.conversation, text="还在吗")
        state = desk.get(url("live", ticket), {"digest": digest}).json()
        assert "还在吗" in state["pieces"]["thread"]
        Reply.objects.filter(pk=waiting.pk).update(state=ReplyState.SENT)
        later = desk.get(url("live", ticket), {"digest": state["digest"]}).json()
        assert "已发送" in later["pieces"]["thread"]


class TestWhoMay:
    def login(self, *permissions: str, name: str = "somebody") -> Client:
        user = User.objects.create_user(name, password="x", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    def test_it_asks_a_stranger_to_log_in(self, ticket: Ticket) -> None:
        for name in ("ticket", "live"):
            assert Client().get(url(name, ticket)).status_code == 302
        assert Client().post(url("reply", ticket), {"text": "x"}).status_code == 302
        assert not Reply.objects.filter(author=Author.AGENT).exists()

    def test_it_shows_nothing_to_staff_without_permission(self, ticket: Ticket) -> None:
        client = self.login()
        assert client.get(url("ticket", ticket)).status_code == 403
        assert client.get(url("live", ticket)).status_code == 403

    def test_it_lets_a_viewer_read_and_not_write(self, ticket: Ticket) -> None:
        client = self.login("view_ticket")
        assert "没有回复的权限" in page(client, ticket)
        for name in ("reply", "take", "resolve", "transfer", "prioritise"):
            assert client.post(url(name, ticket), {"text": "x"}).status_code == 403
        ticket.refresh_from_db()
        assert ticket.status == Status.ASSIGNED

    def test_it_lets_staff_without_a_profile_help_in_their_own_name(self, ticket: Ticket) -> None:
        client = self.login("change_ticket", name="zhuguan")
        assert "以「zhuguan」的名义发送" in page(client, ticket)
        client.post(url("reply", ticket), {"text": "我来看看。"})
        helper = Agent.objects.get(user__username="zhuguan")
        assert Reply.objects.get(author=Author.AGENT).agent_name == "zhuguan"
        assert not helper.active


class TestTheList:
    def listed(self, client: Client, **query: str) -> str:
        return client.get(reverse("desk:queue"), query).content.decode()

    def test_it_shows_what_an_agent_decides_by(self, desk: Client, ticket: Ticket) -> None:
        found = self.listed(desk)
        for words in (
            ticket.number,
            "鞋子小了能换吗",
            "客户要求人工",
            "已分配",
            "普通",
            "李明",
            "秒",
        ):
            assert words in found

    def test_it_keeps_the_queues_apart(self, desk: Client, ticket: Ticket, wangfang: Agent) -> None:
        others = hand_over(held_turn(), reason=Reason.NOTHING_MATCHED)
        take(others, wangfang)
        done = hand_over(held_turn(), reason=Reason.NOTHING_MATCHED)
        resolve(done, wangfang)
        numbers = {one.number for one in (ticket, others, done)}
        expected = {
            "": {ticket, others},
            "mine": {ticket},
            "untaken": {ticket},
            "in_work": {others},
            "resolved": {done},
            "all": {ticket, others, done},
        }
        for name, tickets in expected.items():
            found = self.listed(desk, queue=name) if name else self.listed(desk)
            assert {number for number in numbers if number in found} == {
                one.number for one in tickets
            }, name

    def test_it_puts_the_longest_waiting_first_and_the_answered_last(
        self, desk: Client, ticket: Ticket
    ) -> None:
        now = timezone.now()
        second = hand_over(
            held_turn(received_at=now - timedelta(hours=1)), reason=Reason.NOTHING_MATCHED
        )
        reply(ticket, ticket.assignee, "您好。")
        third = hand_over(held_turn(received_at=now), reason=Reason.NOTHING_MATCHED)
        found = self.listed(desk)
        places = [found.index(one.number) for one in (second, third, ticket)]
        assert places == sorted(places)

    def test_it_searches_by_number_and_customer(
        self, desk: Client, ticket: Ticket, wangfang: Agent
    ) -> None:
        other = hand_over(held_turn(), reason=Reason.NOTHING_MATCHED)
        for words in (ticket.number, ticket.customer.openid):
            found = self.listed(desk, q=words)
            assert url("ticket", ticket) in found
            assert url("ticket", other) not in found

    def test_it_says_what_an_empty_queue_means(self, desk: Client) -> None:
        assert "机器人答不上来时，工单会出现在这里" in self.listed(desk)
        assert "机器人答不上来时，工单会出现在这里" in self.listed(desk, queue="in_work")
        assert "没有符合条件的内容" in self.listed(desk, q="不存在")

    def test_it_opens_each_row_on_the_ticket_page(self, desk: Client, ticket: Ticket) -> None:
        assert url("ticket", ticket) in self.listed(desk)

    def test_it_lets_nobody_make_or_delete_tickets_by_hand(
        self, admin_client: Client, ticket: Ticket
    ) -> None:
        delete = reverse("admin:tickets_ticket_delete", args=[ticket.pk])
        assert admin_client.get(reverse("admin:tickets_ticket_add")).status_code == 403
        assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_it_lists_agents_with_their_open_tickets(admin_client: Client, ticket: Ticket) -> None:
    make_agent("闲人")
    found = admin_client.get(reverse("admin:tickets_agent_changelist")).content.decode()
    assert "李明" in found
    assert "闲人" in found


def test_it_answers_404_for_a_ticket_that_is_not_there(admin_client: Client) -> None:
    missing = reverse("desk:ticket", args=[404])
    assert admin_client.get(missing).status_code == 404
    assert admin_client.get(reverse("desk:live", args=[404])).status_code == 404
