"""What the pages of the knowledge base have in common."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin_pages import AdminPage
from knowledge.versions import knowledge_changed


class ChangesKnowledge(AdminPage):
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
