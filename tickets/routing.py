"""Who gets the next ticket."""

from __future__ import annotations

from django.db.models import Count, F, Q

from tickets.models import Agent, Ticket


def next_agent() -> Agent | None:
    """The active agent with the fewest open tickets; among equals the one idle for longest, a newcomer first."""
    return (
        Agent.objects.filter(active=True, user__is_active=True)
        .annotate(open_tickets=Count("tickets", filter=Q(tickets__open_for__isnull=False)))
        .order_by("open_tickets", F("last_work_at").asc(nulls_first=True), "pk")
        .first()
    )


def waiting_before(ticket: Ticket) -> int:
    """How many customers wait for the same agent, and have waited for longer."""
    waiting = Ticket.objects.open().waited_for().filter(assignee=ticket.assignee_id)
    return waiting.filter(pk__lt=ticket.pk).count()
