"""The editors' pages: how the assistant speaks and what it must not say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from assistant import screening
from assistant.models import BlockedTerm, Direction, Persona
from assistant.personas import default_prompt, own_prompts
from common.admin_cells import cut_of
from common.admin_pages import AdminPage
from common.text import fold


@admin.register(Persona)
class PersonaAdmin(AdminPage):
    list_display = ["account", cut_of(Persona, "prompt", 60)]
    list_select_related = ["account"]
    fields = ["account", "prompt"]
    empty_text = _("模型现在用默认的人设回答。想让它换个身份或语气，就在这里添加。")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new persona starts from the default, so that an editor changes words instead of facing
        an empty box.
        """
        return {"prompt": default_prompt(), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Persona, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        own_prompts.changed()


class BlockedTermForm(forms.ModelForm):
    class Meta:
        model = BlockedTerm
        fields = ["term", "direction", "enabled"]

    def clean_term(self) -> str:
        term: str = self.cleaned_data["term"].strip()
        if not fold(term):
            raise forms.ValidationError(_("至少要有一个文字，标点和表情不参与检查。"))
        return term


class AddTermsForm(BaseDialogForm):
    terms = forms.CharField(
        label=_("词语"),
        help_text=_("每行一个，已有的会跳过"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10}),
    )
    direction = forms.ChoiceField(
        label=_("检查"), choices=Direction.choices, widget=UnfoldAdminSelectWidget
    )

    def clean_terms(self) -> list[str]:
        """The words in their order, each once; a line without a word, or one too long, is named."""
        lines = [line.strip() for line in self.cleaned_data["terms"].splitlines() if line.strip()]
        longest = BlockedTerm._meta.get_field("term").max_length or 0
        wrong = [line for line in lines if not fold(line) or len(line) > longest]
        if wrong:
            raise forms.ValidationError(
                _("这些行没有文字或超过 %(longest)s 个字：%(lines)s"),
                params={
                    "longest": longest,
                    "lines": gettext("，").join(Truncator(line).chars(20) for line in wrong[:5]),
                },
            )
        return list(dict.fromkeys(lines))


@admin.register(BlockedTerm)
class BlockedTermAdmin(AdminPage):
    form = BlockedTermForm
    list_display = ["term", "direction", "enabled"]
    list_editable = ["direction", "enabled"]
    list_filter = ["direction", "enabled"]
    search_fields = ["term"]
    ordering = ["term"]
    list_per_page = 100
    actions = ["enable", "disable"]
    actions_list = ["add_many"]
    empty_text = _(
        "客户或机器人的话里有这里的词时，机器人不作回答。可以逐个添加，"
        "也可以用右上角的「批量添加」。"
    )

    @action(
        description=_("批量添加"),
        url_path="add-many",
        icon="playlist_add",
        permissions=["add"],
        dialog={
            "title": _("批量添加敏感词"),
            "description": _("客户的话里有这些词时不作回答；机器人的话里有这些词时不发出。"),
            "form_class": AddTermsForm,
            "form_submit_text": _("添加"),
        },
    )
    def add_many(self, request: HttpRequest, form: AddTermsForm) -> HttpResponse:
        terms: list[str] = form.cleaned_data["terms"]
        added = add_terms(terms, Direction(form.cleaned_data["direction"]))
        text = _("添加了 %(added)s 个敏感词，跳过 %(skipped)s 个已有的。")
        self.message_user(
            request, text % {"added": added, "skipped": len(terms) - added}, messages.SUCCESS
        )
        return HttpResponse(
            headers={"HX-Redirect": reverse("admin:assistant_blockedterm_changelist")}
        )

    @admin.action(description=_("启用所选敏感词"), permissions=["change"])
    def enable(self, request: HttpRequest, terms: QuerySet[BlockedTerm]) -> None:
        self._switch(request, terms, enabled=True)

    @admin.action(description=_("停用所选敏感词"), permissions=["change"])
    def disable(self, request: HttpRequest, terms: QuerySet[BlockedTerm]) -> None:
        self._switch(request, terms, enabled=False)

    def _switch(self, request: HttpRequest, terms: QuerySet[BlockedTerm], *, enabled: bool) -> None:
        count = terms.update(enabled=enabled)
        screening.terms.changed()
        text = ngettext("已更新 %(count)s 个敏感词。", "已更新 %(count)s 个敏感词。", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        screening.terms.changed()

    def delete_model(self, request: HttpRequest, obj: BlockedTerm) -> None:
        super().delete_model(request, obj)
        screening.terms.changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BlockedTerm]) -> None:
        super().delete_queryset(request, queryset)
        screening.terms.changed()


def add_terms(terms: Iterable[str], direction: Direction) -> int:
    """Add the words that are not there yet; returns how many were added."""
    with transaction.atomic():
        known = set(BlockedTerm.objects.values_list("term", flat=True))
        new = [BlockedTerm(term=term, direction=direction) for term in terms if term not in known]
        BlockedTerm.objects.bulk_create(new, ignore_conflicts=True)
        screening.terms.changed()
    return len(new)
