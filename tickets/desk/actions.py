"""What an agent does on the ticket page: thin functions over `services`.

Each action answers a plain form with a redirect, and the page's script (`Accept: application/json`)
with the new state of the page, so that an agent never loses a word or the place in the
conversation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import chain
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets import presence, services
from tickets.agents import StaffRequest, acting_agent, agent_of
from tickets.desk.access import for_staff, may_change, visible_ticket
from tickets.desk.forms import PriorityForm, ReplyForm, TransferForm, new_draft_key
from tickets.desk.presenting import state_of, ticket_page
from tickets.models import Ticket


@dataclass(frozen=True)
class Done:
    """The words for the agent, "" where the page shows it by itself; the key of the next draft,
    where this one is used up.
    """

    words: str = ""
    draft_key: str = ""


class Refused(Exception):
    """The action was not carried out: the words for the agent, and the status of the answer."""

    def __init__(self, words: str, status: int, draft_key: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.status = status
        self.draft_key = draft_key


Action = Callable[[Ticket, StaffRequest], Done]


def ticket_action(action: Action) -> Callable[..., HttpResponse]:
    """The view of an action: who may, which ticket, and the answer in the manner asked for."""

    @for_staff
    @require_POST
    @wraps(action)
    def view(request: StaffRequest, ticket_id: int) -> HttpResponse:
        ticket = visible_ticket(request, ticket_id)
        if not may_change(request):
            raise PermissionDenied
        try:
            done = _carried_out(action, ticket, request)
        except Refused as refused:
            return _refusal(request, ticket_id, refused)
        return _answer(request, ticket_id, done)

    return view


def _carried_out(action: Action, ticket: Ticket, request: StaffRequest) -> Done:
    try:
        return action(ticket, request)
    except services.TakenByAnother as taken:
        words = _("%(agent)s 正在接待这位客户，接手后可以发送。") % {"agent": taken.agent or "—"}
        raise Refused(words, 409) from taken
    except services.TicketClosed as closed:
        words = _("这个工单已经解决。客户再次需要人工时会有新的工单。")
        raise Refused(words, 409) from closed
    finally:
        _note_action(request)


def _answer(request: StaffRequest, ticket_id: int, done: Done) -> HttpResponse:
    if _is_by_script(request):
        state = state_of(request, visible_ticket(request, ticket_id)).as_json()
        said = {"problem": "", "done": done.words, "draft_key": done.draft_key}
        return JsonResponse({**state, **said})
    if done.words:
        messages.success(request, done.words)
    return redirect("desk:ticket", ticket_id)


def _refusal(request: StaffRequest, ticket_id: int, refused: Refused) -> HttpResponse:
    ticket = visible_ticket(request, ticket_id)
    if _is_by_script(request):
        said = {"problem": refused.words, "done": "", "draft_key": refused.draft_key}
        state = state_of(request, ticket).as_json()
        return JsonResponse({**state, **said}, status=refused.status)
    messages.error(request, refused.words)
    return ticket_page(request, ticket, status=refused.status, draft_key=refused.draft_key)


def _is_by_script(request: StaffRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _note_action(request: StaffRequest) -> None:
    agent = agent_of(request.user)
    if agent is not None:
        presence.agent_did_something(agent.pk)


def _checked(form: Any) -> Any:
    if not form.is_valid():
        errors = chain.from_iterable(form.errors.values())
        raise Refused(" ".join(errors), 400)
    return form


@ticket_action
def reply(ticket: Ticket, request: StaffRequest) -> Done:
    """A page whose answer was lost asks again under the same key, and gets what the first got."""
    form = _checked(ReplyForm(request.POST))
    agent = acting_agent(request.user)
    key, text = form.cleaned_data["key"], form.cleaned_data["text"]
    try:
        services.reply(ticket, agent, text, draft_key=key)
    except services.SentInOtherWords as sent:
        words = _("这条回复修改之前已经发送。修改后的内容还没有发送，需要时请再点一次发送。")
        raise Refused(words, 409, new_draft_key()) from sent
    return Done(draft_key=new_draft_key())


@ticket_action
def take(ticket: Ticket, request: StaffRequest) -> Done:
    agent = acting_agent(request.user)
    seen = request.POST.get("seen", "")
    is_seen = ticket.assignee is not None and str(ticket.assignee.pk) == seen
    services.take(ticket, agent, from_agent=ticket.assignee if is_seen else None)
    return Done(_("已接手，机器人不再回复这位客户。"))


@ticket_action
def resolve(ticket: Ticket, request: StaffRequest) -> Done:
    services.resolve(ticket, acting_agent(request.user))
    return Done(_("已解决，机器人继续接待这位客户。"))


@ticket_action
def transfer(ticket: Ticket, request: StaffRequest) -> Done:
    agent = _checked(TransferForm(request.POST, ticket=ticket)).cleaned_data["agent"]
    services.assign(ticket, agent)
    return Done(_("已转给 %(agent)s。") % {"agent": agent})


@ticket_action
def prioritise(ticket: Ticket, request: StaffRequest) -> Done:
    services.set_priority(ticket, _checked(PriorityForm(request.POST)).cleaned_data["priority"])
    return Done(_("优先级已更新。"))


ACTIONS = {
    "reply": reply,
    "take": take,
    "resolve": resolve,
    "transfer": transfer,
    "prioritise": prioritise,
}
