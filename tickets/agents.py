"""Who acts: the agent's profile behind a staff login."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

from tickets.models import Agent


class StaffRequest(HttpRequest):
    """A request that the admin let in."""

    user: User


def name_of(user: User) -> str:
    return (user.get_full_name() or user.get_username())[:60]


def agent_of(user: User | AnonymousUser) -> Agent | None:
    return None if user.pk is None else Agent.objects.filter(user_id=user.pk).first()


def acting_agent(user: User) -> Agent:
    """The user's profile. One who helps out without a profile gets one, and no tickets by
    themselves.
    """
    agent, _ = Agent.objects.get_or_create(
        user=user, defaults={"display_name": name_of(user), "active": False}
    )
    return agent
