"""Words that mean the same."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledge.admin.shared import ChangesKnowledge
from knowledge.models import SynonymRule
from knowledge.synonyms import words_of


class SynonymRuleForm(forms.ModelForm):
    def clean_words(self) -> str:
        words = words_of(self.cleaned_data["words"])
        if len(words) < 2:
            raise ValidationError(_("请至少写两个词，用空格分开。"))
        for rule in SynonymRule.objects.exclude(pk=self.instance.pk):
            shared = set(words) & set(words_of(rule.words))
            if shared:
                raise ValidationError(
                    _("「%(word)s」已在规则「%(rule)s」里。")
                    % {"word": min(shared), "rule": rule.words}
                )
        return " ".join(words)


@admin.register(SynonymRule)
class SynonymRuleAdmin(ChangesKnowledge):
    form = SynonymRuleForm
    list_display = ["words", "enabled"]
    list_filter = ["enabled"]
    search_fields = ["words"]
    fields = ["words", "enabled"]
    empty_text = gettext_lazy("客户的说法和 FAQ 不一样时，写一条同义词，机器人就能对上。")
