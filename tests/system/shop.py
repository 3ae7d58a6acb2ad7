"""A small shop on real processes: a verified and an unverified account, one FAQ, one agent, and
customers' phones.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from tests.services.process import Process
from tests.stack import Stack
from tests.worlds.poster import Account, Delivery, Outcome, Poster, Push
from wechatbot.health import HEARTBEATS

Kind = Literal["verified", "unverified"]

QUESTION, FAQ_ANSWER = "怎么申请退货", "七天内可以退货，运费由我们承担。"
MODEL_ANSWER = "您好，这是模型的回答。"
# How long a model may think until the test lets it speak, in seconds: tests that kill processes
# take their time.
PATIENCE = 40
SORRY = "系统繁忙，请稍后再发一次。"
UNVERIFIED = Account(
    slug="unverified",
    app_id="wxfedcba9876543210",
    secret="fedcba9876543210fedcba9876543210",
    token="tokenOfTheOther",
    aes_key="Z1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0UVE",
    original_id="gh_fedcba987654",
)
FURNITURE = f"""
from django.contrib.auth.models import User
from knowledge.models import FAQ
from tickets.models import Agent
from wechat.models import OfficialAccount
FAQ.objects.create(question={QUESTION!r}, answer={FAQ_ANSWER!r})
Agent.objects.create(user=User.objects.create_user("liming", is_staff=True), display_name="李明")
OfficialAccount.objects.create(
    slug={UNVERIFIED.slug!r}, name="小店订阅号", app_id={UNVERIFIED.app_id!r},
    token={UNVERIFIED.token!r}, aes_key={UNVERIFIED.aes_key!r},
    reply_mode="passive", encrypted_only=False)
"""
_LINK = re.compile(r'<a href="weixin://bizmsgmenu\?msgmenucontent=([^&"]*)&msgmenuid=([^"]*)">')


@dataclass(frozen=True)
class Message:
    id: int
    state: str
    attempt: int
    deliveries: int
    ended_with: str
    text: str


@dataclass(frozen=True)
class Reply:
    id: int
    part: int
    author: str
    state: str
    channel: str
    tries: int
    text: str
    reason: str


class Shop(Stack):
    def furnish(self) -> None:
        self.shell(FURNITURE)
        self.rows(
            f"UPDATE llm_languagemodel SET first_token_timeout = {PATIENCE}, total_timeout = "
            f"{PATIENCE}"
        )

    def clean(self) -> None:
        for model in (self.model, self.fallback):
            model.manner.may_speak.set()
            model.manner.answer, model.manner.seconds = MODEL_ANSWER, 0.0
        super().clean()
        for model in (self.model, self.fallback):
            model.manner.may_speak = threading.Event()

    def phone(self, kind: Kind, openid: str) -> Phone:
        account = self.account if kind == "verified" else UNVERIFIED
        return Phone(self, Poster(self._bases, account), openid)

    @property
    def bases(self) -> list[str]:
        return self._bases()

    def restart(self, *processes: Process) -> None:
        """End them and start them again, with whatever their rows say now."""
        for process in processes:
            process.kill()
            process.start()
        restarted = {"worker": self.workers, "deliver": [self.deliver]}
        for name, key in HEARTBEATS.items():
            if any(process in processes for process in restarted[name]):
                self.redis.client.delete(key)
        self.wait_until_ready()

    def limit_models(
        self, *, calls: int = 200, first_token: int = PATIENCE, total: int = PATIENCE
    ) -> None:
        """Their bounds, known to fresh workers at once (a running one reads its models every five
        seconds).
        """
        self.rows(
            f"UPDATE llm_languagemodel SET max_in_flight = {calls}, first_token_timeout = "
            f"{first_token},"
            f" total_timeout = {total}"
        )
        self.restart(*self.workers)

    def let_the_lease_run_out(self) -> None:
        """Twenty seconds of waiting, spared: a lease that runs out does so after its message was
        queued.
        """
        self.rows(
            f"UPDATE conversations_conversation SET lease_until = '{datetime.now(UTC):%F %T.%f}'"
            " WHERE lease_until > '2001-01-01'"
        )

    def wait_for_sweep(self, phone: Phone) -> None:
        """One sweep at least: it finds a message of this customer that nobody took, and has it
        answered.
        """
        phone.deliver(phone.side.text(phone.openid, QUESTION))
        owned = f"openid = '{phone.openid}'"
        self.rows(
            "DELETE FROM conversations_reply WHERE conversation_id IN"
            f" (SELECT conversation_id FROM conversations_message WHERE {owned})"
        )
        self.rows(
            "UPDATE conversations_message SET state = 'received', attempt = 0, queued_at = NULL,"
            f" received_at = '2000-01-01' WHERE {owned}"
        )
        self.wait_until(
            lambda: {message.state for message in phone.messages} == {"answered"},
            60,
            "the sweep found the forgotten message",
        )

    def take_token(self) -> None:
        """So that the next call to WeChat is the one that carries a text."""
        self.shell(
            "from wechat.client import api_of; from wechat.models import OfficialAccount;"
            "api_of(OfficialAccount.objects.get(is_default=True)).access_token"
        )

    def deliver_now(self) -> None:
        """The pause before the next try, spared."""
        self.rows(
            "UPDATE conversations_reply SET due_at = '2000-01-01 00:00:00' WHERE state = 'ready'"
        )
        self.shell(
            "from conversations.models import Conversation;"
            "from conversations.replies.queueing import queue_delivery;"
            "[queue_delivery(conversation.pk) for conversation in Conversation.objects.all()]"
        )


class Phone:
    """One customer, and what WeChat shows to them: passive replies and texts sent by the API, as
    they came.
    """

    def __init__(self, shop: Shop, side: Poster, openid: str) -> None:
        self.shop, self.side, self.openid = shop, side, openid
        self._passive: list[tuple[float, str]] = []

    @property
    def read(self) -> list[str]:
        by_api = [
            (sent.at, sent.text) for sent in self.shop.wechat.sent if sent.openid == self.openid
        ]
        return [text for _, text in sorted([*self._passive, *by_api])]

    def say(self, text: str) -> Outcome:
        return self.push(self.side.text(self.openid, text))

    def push(self, push: Push) -> Outcome:
        """Three deliveries, as WeChat does it."""
        outcome = self.side.push(push)
        if outcome.text is not None:
            self._passive.append((time.monotonic(), outcome.text))
        return outcome

    def tap(self) -> Outcome:
        """Tap the link of the last text that has one."""
        links = [link for text in self.read for link in _LINK.findall(text)]
        content, option_id = links[-1]
        return self.push(
            self.side.text(self.openid, unquote(content), option_id=unquote(option_id))
        )

    def tap_until(self, has_read: Callable[[], bool], taps: int = 3) -> None:
        """A customer without patience gives up after some taps."""
        for _ in range(taps):
            if has_read():
                return
            self.tap()
        assert has_read(), self.read

    def deliver(self, push: Push, *, web: int = 0, cut: float = 5.0) -> Delivery:
        return self.side.deliver(push, base=self.shop.bases[web], cut=cut)

    def text_of(self, delivery: Delivery) -> str | None:
        """What WeChat would show for this one delivery."""
        assert delivery.status == 200, delivery
        return self.side.read_text(delivery.body)

    def send_unread(self, push: Push, *, web: int = 0) -> socket.socket:
        """A delivery whose answer is never read: the caller closes the connection."""
        target = urlsplit(self.shop.bases[web])
        connection = socket.create_connection((target.hostname, target.port))
        connection.sendall(self.side.seal(push).written)
        return connection

    @property
    def messages(self) -> list[Message]:
        columns = "id, state, attempt, deliveries, ended_with, text"
        rows = self._rows(
            f"SELECT {columns} FROM conversations_message WHERE openid = '{self.openid}' ORDER BY "
            "id"
        )
        return [Message(*row) for row in rows]

    @property
    def message(self) -> Message:
        (only,) = self.messages
        return only

    @property
    def replies(self) -> list[Reply]:
        columns = "r.id, r.part, r.author, r.state, r.channel, r.tries, r.text, r.reason"
        rows = self._rows(
            f"SELECT {columns} FROM conversations_reply r"
            " JOIN conversations_conversation co ON co.id = r.conversation_id"
            " JOIN conversations_customer cu ON cu.id = co.customer_id WHERE cu.openid = "
            f"'{self.openid}' ORDER BY r.id"
        )
        return [Reply(*row) for row in rows]

    @property
    def reply(self) -> Reply:
        (only,) = self.replies
        return only

    @property
    def ticket_reasons(self) -> list[str]:
        """Of the open tickets."""
        return [
            row[0]
            for row in self._rows(
                "SELECT t.reason FROM tickets_ticket t JOIN conversations_customer cu ON cu.id = "
                "t.customer_id"
                f" WHERE t.open_for_id IS NOT NULL AND cu.openid = '{self.openid}'"
            )
        ]

    @property
    def questions_on_tickets(self) -> list[str]:
        return [
            row[0]
            for row in self._rows(
                "SELECT m.text FROM tickets_ticket_messages tm JOIN conversations_message m ON "
                "m.id = tm.message_id"
                f" WHERE m.openid = '{self.openid}' ORDER BY m.id"
            )
        ]

    def wait_to_read(self, text: str, timeout: float = 30) -> None:
        self.shop.wait_until(
            lambda: text in self.read, timeout, f"{self.openid} reads {text!r}, has {self.read}"
        )

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.shop.rows(sql)
