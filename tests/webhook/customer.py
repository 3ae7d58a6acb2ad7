"""A customer whose pushes the callback takes in this process, and the worker that answers them."""

from __future__ import annotations

import time

from conversations.models import Message
from tests.services.process import wait_until
from tests.webhook.wire import Delivery, Wire
from tests.worlds.model_stub import ModelStub
from tests.worlds.poster import Request, plain
from tests.worlds.pushes import text_xml
from webhook import opening
from webhook.answering import answer_conversation
from wechat.models import OfficialAccount

LOOK_LINK = "weixin://bizmsgmenu?msgmenucontent=查看回复&msgmenuid=wechatbot-look"


class Customer:
    """Writes to the account; WeChat delivers each push until it gets an answer, three times at
    most.
    """

    def __init__(self, wire: Wire, account: OfficialAccount) -> None:
        self.wire = wire
        self.account = account

    def push(self, text: str, *, created: int | None = None) -> Request:
        return plain(self.account, text_xml(text, created=created))

    def write(self, text: str) -> str | None:
        return self.deliver(self.push(text))

    def deliver(self, request: Request) -> str | None:
        """The words of the answer, `success`, or None when WeChat had to cut."""
        return self.cut_in_time(self.wire.start(request))

    def cut_in_time(self, delivery: Delivery) -> str | None:
        give_up = time.monotonic() + opening.LAST_FETCH_SECONDS + 0.2
        while delivery.is_open and time.monotonic() < give_up:
            time.sleep(0.01)
        if delivery.is_open:
            delivery.cut()
        answer = delivery.answer()
        if answer is None:
            return None
        assert answer.status == 200
        return "success" if answer.body == b"success" else answer.text


def stored() -> Message:
    wait_until(Message.objects.exclude(conversation=None).exists, what="the push is stored")
    return Message.objects.latest("pk")


def worker_answers(model: ModelStub) -> None:
    """The worker's turn, in this thread."""
    answer_conversation(stored().conversation_id or 0, model=model)
