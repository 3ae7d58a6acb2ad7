from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User

from conversations import texts
from conversations.claims import Turn, take
from conversations.models import Conversation
from tests.factories import MessageFactory
from tickets.models import Agent
from tickets.presence import agent_did_something


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    texts.forget_own_words()


def make_agent(name: str, *, active: bool = True, there: bool = True) -> Agent:
    """A colleague with a staff login that may view and change tickets."""
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("view_ticket", "change_ticket"))
    )
    agent = Agent.objects.create(user=user, display_name=name, active=active)
    if there:
        agent_did_something(agent.pk)
    return agent


@pytest.fixture
def liming(db: None) -> Agent:
    return make_agent("李明")


@pytest.fixture
def wangfang(liming: Agent) -> Agent:
    return make_agent("王芳")


def next_turn(conversation: Conversation, text: str, **values: object) -> Turn:
    """The customer writes again, and we hold the message."""
    conversation.refresh_from_db()
    Conversation.objects.filter(pk=conversation.pk).update(
        lease_until=conversation.created_at.replace(year=2000)
    )
    MessageFactory(conversation=conversation, text=text, **values)
    turn = take(conversation.pk)
    assert turn is not None
    return turn
