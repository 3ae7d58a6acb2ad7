"""The bot's words at each moment, where an account wants others than the default."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from common.admin_cells import cut_of
from common.admin_pages import AdminPage
from conversations.models import BotText
from conversations.saying import moment_label, registered
from conversations.texts import default_text, names_in, own_words


def _moments() -> list[tuple[str, str]]:
    return [(moment.key, str(moment.label)) for moment in registered().values()]


class BotTextForm(forms.ModelForm):
    moment = forms.ChoiceField(label=_("场合"), choices=_moments, widget=UnfoldAdminSelectWidget)

    class Media:
        js = (forms.Script("conversations/bot_texts.js", defer=True),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The script fills an untouched box with the default, so that nobody types it anew to
        change a word.
        """
        super().__init__(*args, **kwargs)
        defaults = {moment: default_text(moment) for moment in registered()}
        self.fields["moment"].widget.attrs["data-defaults"] = json.dumps(
            defaults, ensure_ascii=False
        )
        self.fields["text"].help_text = _(
            "从默认的说法改起。花括号里的占位符发送时会换成真实内容。"
        )

    class Meta:
        model = BotText
        fields = ["account", "moment", "text"]

    def clean(self) -> dict[str, Any]:
        """Words that cannot be filled would silently fall back to the default."""
        values = super().clean() or {}
        moment, text = values.get("moment"), values.get("text")
        if moment and text:
            known = registered()[moment].needs
            try:
                unknown = names_in(text) - known
            except ValueError as error:
                raise forms.ValidationError(
                    {"text": _("花括号要成对，里面只能写占位符的名字。")}
                ) from error
            if unknown:
                names = gettext("、").join(f"{{{name}}}" for name in sorted(known)) or _("无")
                raise forms.ValidationError(
                    {"text": _("只能使用这些占位符：{names}").format(names=names)}
                )
            if missing := registered()[moment].keeps - names_in(text):
                names = gettext("、").join(f"{{{name}}}" for name in sorted(missing))
                raise forms.ValidationError(
                    {"text": _("请保留占位符：{names}").format(names=names)}
                )
            if len(text) > (longest := _longest(moment)):
                raise forms.ValidationError({"text": _("最多 {n} 个字。").format(n=longest)})
        return values


def _longest(moment: str) -> int:
    """In characters. Words with a link follow a full part in the same message, where little room is
    left.
    """
    if moment.endswith("_link"):
        return 12
    if moment == "look_words":
        return 26
    return 30 if "link" in registered()[moment].needs else 500


@admin.register(BotText)
class BotTextAdmin(AdminPage):
    list_display = ["show_moment", "account", cut_of(BotText, "text", 80)]
    empty_text = _("机器人现在说的都是默认的话。想换个说法，就在这里添加。")
    list_filter = ["account"]
    form = BotTextForm

    @display(description=_("场合"), ordering="moment")
    def show_moment(self, text: BotText) -> str:
        return moment_label(text.moment)

    def save_model(self, request: HttpRequest, obj: BotText, form: object, change: bool) -> None:
        super().save_model(request, obj, form, change)
        own_words.changed()

    def get_queryset(self, request: HttpRequest) -> QuerySet[BotText]:
        return super().get_queryset(request).select_related("account")
