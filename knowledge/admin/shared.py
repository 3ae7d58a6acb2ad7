"""What the pages of the knowledge base have in common."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin

from knowledge.versions import knowledge_changed

CUT_AT = 40


def cut(text: str) -> SafeString:
    """A long text in one table cell, whole on hover."""
    return format_html('<span title="{}">{}</span>', text, Truncator(text).chars(CUT_AT))


class ChangesKnowledge(ModelAdmin):
    """Whatever is saved or deleted here, matching learns of it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        knowledge_changed()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        knowledge_changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        knowledge_changed()
