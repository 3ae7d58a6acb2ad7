"""What an agent may send to the ticket page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.models import Agent, Priority, Ticket

# Five parts of WeChat: more than the reply window ever lets through at once.
LONGEST_REPLY = 2500


class ReplyForm(forms.Form):
    text = forms.CharField(
        label=_("回复"),
        max_length=LONGEST_REPLY,
        error_messages={
            "required": _("请先输入要发送的内容。"),
            "max_length": _("一次最多 %(limit_value)d 个字，现在有 %(show_value)d 个。"),
        },
    )


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
