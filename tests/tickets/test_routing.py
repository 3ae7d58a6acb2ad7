from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import held_turn, make_agent
from tickets.models import Agent, Reason
from tickets.presence import agents_there
from tickets.routing import next_agent
from tickets.services import hand_over, resolve

pytestmark = pytest.mark.django_db


def test_it_finds_nobody_where_nobody_is_on() -> None:
    make_agent("休息", active=False)
    gone = make_agent("离职")
    gone.user.is_active = False
    gone.user.save()
    assert next_agent(agents_there()) is None


def test_it_chooses_the_agent_with_the_fewest_open_tickets(liming: Agent, wangfang: Agent) -> None:
    served = [hand_over(held_turn(), reason=Reason.CUSTOMER_ASKED).assignee for _ in range(4)]
    assert served == [liming, wangfang, liming, wangfang]
    resolve(wangfang.tickets.all()[0], wangfang)
    assert next_agent(agents_there()) == wangfang


def test_it_chooses_among_equals_the_one_idle_for_longest(liming: Agent, wangfang: Agent) -> None:
    now = timezone.now()
    Agent.objects.filter(pk=liming.pk).update(last_work_at=now)
    Agent.objects.filter(pk=wangfang.pk).update(last_work_at=now - timedelta(hours=1))
    assert next_agent(agents_there()) == wangfang
    newcomer = make_agent("新人")
    assert next_agent(agents_there()) == newcomer
