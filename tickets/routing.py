"""Who gets the next ticket."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Case, Count, F, Q, When

from tickets.models import Agent, Ticket


def next_agent(there: Collection[int]) -> Agent | None:
    """The active agent with the fewest open tickets; among equals the one idle for longest, a
    newcomer first.

    Whoever is there comes before all others. Where nobody is, the ticket waits for who comes next.
    """
    is_there = Case(When(pk__in=there, then=1), default=0)
    return (
        Agent.objects.filter(active=True, user__is_active=True)
        .annotate(open_tickets=Count("tickets", filter=Q(tickets__open_for__isnull=False)))
        .annotate(is_there=is_there)
        .order_by("-is_there", "open_tickets", F("last_work_at").asc(nulls_first=True), "pk")
        .first()
    )


def waiting_before(ticket: Ticket) -> int:
    """How many customers wait for the same agent, and have waited for longer."""
    waiting = Ticket.objects.open().waited_for().filter(assignee=ticket.assignee_id)
    return waiting.filter(pk__lt=ticket.pk).count()
