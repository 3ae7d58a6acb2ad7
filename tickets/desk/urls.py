from __future__ import annotations

from django.urls import URLPattern, path

from tickets.desk import pages
from tickets.desk.actions import ACTIONS

app_name = "desk"

# Also under the addresses that they had in the admin: pages of a former release still ask there.
asked_by_pages = [
    path("<int:ticket_id>/live/", pages.live, name="live"),
    *(path(f"<int:ticket_id>/{name}/", view, name=name) for name, view in ACTIONS.items()),
    path("here/", pages.here, name="here"),
]

urlpatterns: list[URLPattern] = [
    path("", pages.queue, name="queue"),
    path("<int:ticket_id>/", pages.ticket, name="ticket"),
    *asked_by_pages,
]
