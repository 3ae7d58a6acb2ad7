"""What an agent may send to the ticket page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.models import DRAFT_KEY_LENGTH
from tickets.models import Agent, Priority, Ticket

# Five parts of WeChat: more than the reply window ever lets through at once.
LONGEST_REPLY = 2500


@dataclass(frozen=True)
class Draft:
    """What stands in the box of a page. Under its key it is written once, however often the page
    has to ask.
    """

    key: str
    text: str = ""

    @classmethod
    def of(cls, request: HttpRequest, new_key: str = "") -> Draft:
        """A refused draft keeps its key as well as its words, unless the key was used up."""
        key = new_key or request.POST.get("key") or new_draft_key()
        return cls(key, request.POST.get("text", ""))


def new_draft_key() -> str:
    return secrets.token_hex(DRAFT_KEY_LENGTH // 2)


class ReplyForm(forms.Form):
    key = forms.CharField(max_length=DRAFT_KEY_LENGTH, required=False)
    text = forms.CharField(
        label=_("回复"),
        max_length=LONGEST_REPLY,
        error_messages={
            "required": _("请先输入要发送的内容。"),
            "max_length": _("一次最多 %(limit_value)d 个字，现在有 %(show_value)d 个。"),
        },
    )

    def clean_key(self) -> str:
        """Pages of the former release send none. A transaction that runs again needs one too."""
        return self.cleaned_data["key"] or new_draft_key()


class PriorityForm(forms.Form):
    priority = forms.TypedChoiceField(
        label=_("优先级"), choices=Priority.choices, coerce=lambda value: Priority(int(value))
    )


class TransferForm(forms.Form):
    agent = forms.ModelChoiceField(Agent.objects.none(), label=_("转给"), empty_label=_("选择客服"))

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colleagues = Agent.objects.filter(user__is_active=True)
        if ticket.assignee_id is not None:
            colleagues = colleagues.exclude(pk=ticket.assignee_id)
        self.fields["agent"].queryset = colleagues.order_by("-active", "display_name")  # type: ignore[attr-defined]
