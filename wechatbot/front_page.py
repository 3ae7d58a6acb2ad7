"""The admin's front page: today in six numbers with the same weekday before, and what needs somebody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from assistant.models import Source
from conversations.models import Message, MessageState, Reply, ReplyState
from knowledge.models import FAQ
from llm.models import ModelCall, Outcome
from tickets.models import Ticket

Count = Callable[[datetime, datetime], int]


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


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's callback for the index page."""
    context.update(numbers=numbers(timezone.localtime()), matters=matters(), starts=starts())
    return context


def numbers(now: datetime) -> list[Number]:
    """From midnight until now, and the same span seven days ago."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week = timedelta(days=7)

    def number(title: str, count: Count, page: str) -> Number:
        return Number(title, count(midnight, now), count(midnight - week, now - week), _list(page))

    return [
        number(_("客户消息"), _messages, "conversations_message"),
        number(_("FAQ 回答"), lambda since, until: _replies(since, until, Source.FAQ), "conversations_reply"),
        number(_("模型回答"), lambda since, until: _replies(since, until, Source.MODEL), "conversations_reply"),
        number(_("转人工"), _handed_over, "conversations_message"),
        number(_("新工单"), _tickets, "tickets_ticket"),
        number(_("模型调用失败"), _failed_calls, "llm_modelcall"),
    ]


def _messages(since: datetime, until: datetime) -> int:
    received = Message.objects.filter(received_at__range=(since, until))
    return received.exclude(state=MessageState.IGNORED).count()


def _replies(since: datetime, until: datetime, source: Source) -> int:
    return Reply.objects.filter(created_at__range=(since, until), source=source, part=1).count()


def _handed_over(since: datetime, until: datetime) -> int:
    return Message.objects.filter(received_at__range=(since, until), state=MessageState.HANDED_OVER).count()


def _tickets(since: datetime, until: datetime) -> int:
    return Ticket.objects.filter(created_at__range=(since, until)).count()


def _failed_calls(since: datetime, until: datetime) -> int:
    return ModelCall.objects.filter(created_at__range=(since, until)).exclude(outcome=Outcome.OK).count()


def matters() -> list[Matter]:
    """Only what is not zero: an empty list is good news."""
    hour_ago = timezone.now() - timedelta(hours=1)
    failed = Reply.objects.filter(state=ReplyState.FAILED, created_at__gte=hour_ago - timedelta(hours=23))
    unknown = Reply.objects.filter(state=ReplyState.UNKNOWN, created_at__gte=hour_ago - timedelta(hours=23))
    untaken = Ticket.objects.to_be_taken()
    unanswered = Ticket.objects.in_work().filter(waiting_since__isnull=False)
    calls = ModelCall.objects.filter(created_at__gte=hour_ago).exclude(outcome=Outcome.OK)
    found = [
        Matter(_("等待接手的工单"), f"{_list('tickets_ticket')}?queue=untaken", untaken.count()),
        Matter(_("客户在等客服回复的工单"), f"{_list('tickets_ticket')}?queue=in_work", unanswered.count()),
        Matter(_("一天内发送失败的回复"), f"{_list('conversations_reply')}?state__exact=failed", failed.count()),
        Matter(_("一天内结果未知的发送"), f"{_list('conversations_reply')}?state__exact=unknown", unknown.count()),
        Matter(_("一小时内失败的模型调用"), _list("llm_modelcall"), calls.count()),
    ]
    return [matter for matter in found if matter.count]


def starts() -> list[Matter]:
    """The next step of somebody who is new here."""
    steps = [Matter(_("添加一条 FAQ"), reverse("admin:knowledge_faq_add"))]
    if FAQ.objects.count() > 0:
        steps = [Matter(_("维护 FAQ"), _list("knowledge_faq"))]
    if settings.SIMULATOR:
        steps.append(Matter(_("在模拟器里试一试"), reverse("simulator:page")))
    return [*steps, Matter(_("处理工单"), _list("tickets_ticket"))]


def _list(name: str) -> str:
    return reverse(f"admin:{name}_changelist")
