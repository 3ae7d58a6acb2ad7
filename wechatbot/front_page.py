"""The admin's front page: today in six numbers with the same weekday before, and what needs
somebody.

Each number leads to the list of exactly the rows that it counts: the filters in its link say the
same as its query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from assistant.models import Source
from common.admin_filters import beginning_of
from common.callers import caller_of
from conversations.models import Message, MessageState, Reply, ReplyState
from knowledge.models import FAQ
from llm.models import ModelCall, Outcome
from simulator.access import may_see
from tickets.models import Ticket
from wechatbot.demo import removal, shop

Count = Callable[[datetime, datetime], int]
MESSAGES, REPLIES, TICKETS = "conversations.message", "conversations.reply", "tickets.ticket"
CALLS, FAQS = "llm.modelcall", "knowledge.faq"


@dataclass(frozen=True)
class Number:
    title: str | Promise
    today: int
    week_ago: int
    link: str


@dataclass(frozen=True)
class Matter:
    title: str | Promise
    link: str
    count: int = 0


@dataclass(frozen=True)
class DemoLine:
    faqs: int
    agents: int
    real_customers_read_it: bool
    link: str


@dataclass(frozen=True)
class Reader:
    """Sees only what leads to pages that they may open."""

    user: User | AnonymousUser

    def may(self, verb: str, model: str) -> bool:
        app, name = model.split(".")
        return self.user.has_perm(f"{app}.{verb}_{name}")


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's callback for the index page."""
    reader, now = Reader(request.user), timezone.localtime()
    context.update(
        numbers=numbers(reader, now),
        matters=matters(reader, now),
        starts=starts(reader, may_try=may_see(request.user, caller_of(request))),
        demo=_demo(request),
    )
    return context


def _demo(request: HttpRequest) -> DemoLine | None:
    """For who may remove it. Everybody else reads its answers as they are."""
    if not request.user.is_superuser:
        return None
    found = removal.find()
    if not found.is_there:
        return None
    return DemoLine(
        len(found.faqs), len(found.agents), shop.has_real_account(), reverse("remove_demo")
    )


def numbers(reader: Reader, now: datetime) -> list[Number]:
    """From midnight until now, and the same span seven days ago."""
    midnight, week = beginning_of("today", now), timedelta(days=7)
    shown: list[tuple[str, Count, str, str]] = [
        (_("客户消息"), _messages, MESSAGES, "state=to_answer&received_at=today"),
        (_("FAQ 回答"), _answers_by(Source.FAQ), REPLIES, "source=faq&part=1&created_at=today"),
        (_("模型回答"), _answers_by(Source.MODEL), REPLIES, "source=model&part=1&created_at=today"),
        (_("转给人工的消息"), _handed_over, MESSAGES, "state=handed_over&received_at=today"),
        (_("新工单"), _tickets_for(reader), TICKETS, "queue=all&created_at=today"),
        (_("模型调用失败"), _failed_calls, CALLS, "outcome=not_ok&created_at=today"),
    ]
    return [
        Number(
            title, count(midnight, now), count(midnight - week, now - week), _list(model, filters)
        )
        for title, count, model, filters in shown
        if reader.may("view", model)
    ]


def _messages(since: datetime, until: datetime) -> int:
    # State by state: for each of them the index holds the moments in order, and no row is read.
    states = [state for state in MessageState if state != MessageState.IGNORED]
    return Message.objects.filter(received_at__range=(since, until), state__in=states).count()


def _answers_by(source: Source) -> Count:
    """Answers, not their parts."""

    def count(since: datetime, until: datetime) -> int:
        return Reply.objects.filter(created_at__range=(since, until), source=source, part=1).count()

    return count


def _handed_over(since: datetime, until: datetime) -> int:
    return Message.objects.filter(
        received_at__range=(since, until), state=MessageState.HANDED_OVER
    ).count()


def _tickets_for(reader: Reader) -> Count:
    def count(since: datetime, until: datetime) -> int:
        seen = Ticket.objects.visible_to(reader.user)
        return seen.filter(created_at__range=(since, until)).count()

    return count


def _failed_calls(since: datetime, until: datetime) -> int:
    return (
        ModelCall.objects.filter(created_at__range=(since, until))
        .exclude(outcome=Outcome.OK)
        .count()
    )


def matters(reader: Reader, now: datetime) -> list[Matter]:
    """Only what is not zero: an empty list is good news."""
    lately = Reply.objects.filter(created_at__gte=beginning_of("day", now))
    calls = ModelCall.objects.filter(created_at__gte=beginning_of("hour", now)).exclude(
        outcome=Outcome.OK
    )
    failed, unknown = (
        lately.filter(state=ReplyState.FAILED),
        lately.filter(state=ReplyState.UNKNOWN),
    )
    tickets = Ticket.objects.visible_to(reader.user)
    untaken, unanswered = tickets.to_be_taken(), tickets.in_work().waited_for()
    found: list[tuple[str, QuerySet[Any], str, str]] = [
        (_("等待接手的工单"), untaken, TICKETS, "queue=untaken"),
        (_("客户在等客服回复的工单"), unanswered, TICKETS, "queue=in_work&waiting=yes"),
        (_("一天内发送失败的回复"), failed, REPLIES, "state__exact=failed&created_at=day"),
        (_("一天内结果未知的发送"), unknown, REPLIES, "state__exact=unknown&created_at=day"),
        (_("一小时内失败的模型调用"), calls, CALLS, "outcome=not_ok&created_at=hour"),
    ]
    return [
        Matter(title, _list(model, filters), count)
        for title, rows, model, filters in found
        if reader.may("view", model) and (count := rows.count())
    ]


def starts(reader: Reader, *, may_try: bool) -> list[Matter]:
    """The next step of somebody who is new here; `may_try`: the simulator is open to them."""
    steps = []
    if reader.may("view", FAQS) and FAQ.objects.exists():
        steps.append(
            Matter(_("维护 FAQ") if reader.may("change", FAQS) else _("查看 FAQ"), _list(FAQS))
        )
    elif reader.may("add", FAQS):
        steps.append(Matter(_("添加一条 FAQ"), reverse("admin:knowledge_faq_add")))
    if may_try:
        steps.append(Matter(_("在模拟器里试一试"), reverse("simulator:page")))
    if reader.may("view", TICKETS):
        steps.append(Matter(_("处理工单"), _list(TICKETS)))
    return steps


def _list(model: str, filters: str = "") -> str:
    page = "desk:queue" if model == TICKETS else f"admin:{model.replace('.', '_')}_changelist"
    address = reverse(page)
    return f"{address}?{filters}" if filters else address
