"""Answers that models gave: read, edit, pin, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, TextField, Value
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from common.admin_cells import cut_of, moment_of
from common.admin_filters import TimeFilter
from common.admin_pages import AdminPage, Step
from knowledge import cache
from knowledge.models import CachedAnswer
from knowledge.versions import knowledge_version


@admin.register(CachedAnswer)
class CachedAnswerAdmin(AdminPage):
    """What models answered. An edited answer is pinned: the next customer gets it, whatever changes
    meanwhile.
    """

    list_display = [
        cut_of(CachedAnswer, "question", 30),
        cut_of(CachedAnswer, "answer"),
        "status",
        "hits",
        "model_name",
        moment_of(CachedAnswer, "expires_at"),
        moment_of(CachedAnswer, "updated_at"),
    ]
    list_filter = ["pinned", "model_name", ("updated_at", TimeFilter)]
    search_fields = ["question", "answer"]
    search_help_text = gettext_lazy("搜索问题和答案")
    ordering = ["-updated_at"]
    readonly_fields = [
        "question",
        "status_words",
        "hits",
        "model_name",
        "expires_at",
        "created_at",
        "updated_at",
    ]
    fields = ["question", "answer", "pinned", *readonly_fields[1:]]
    actions = ["pin", "unpin"]
    empty_text = gettext_lazy(
        "模型回答过的问题会存在这里，同样的问题再来时直接使用。还没有模型的话，先添加一个。"
    )
    empty_step = Step(gettext_lazy("设置语言模型"), ("admin:llm_languagemodel_changelist",))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        cache.write_down_hits()
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CachedAnswer]:
        version = Value(knowledge_version(), output_field=TextField())
        return super().get_queryset(request).annotate(version_now=version)

    @display(
        description=gettext_lazy("状态"),
        label={"pinned": "info", "in_use": "success", "outdated": "warning", "expired": "warning"},
    )
    def status(self, cached: Any) -> tuple[str, str]:
        if cached.pinned:
            return "pinned", _("已固定")
        if cached.is_usable(knowledge_version=cached.version_now, now=timezone.now()):
            return "in_use", _("使用中")
        if cached.knowledge_version != cached.version_now:
            return "outdated", _("知识库已变动")
        return "expired", _("已过期")

    @display(description=gettext_lazy("状态"))
    def status_words(self, cached: CachedAnswer) -> str:
        return self.status(cached)[1]

    def save_model(self, request: HttpRequest, obj: CachedAnswer, form: Any, change: bool) -> None:
        if "answer" in form.changed_data:
            obj.pinned = True
        super().save_model(request, obj, form, change)

    @admin.action(description=gettext_lazy("固定所选答案"), permissions=["change"])
    def pin(self, request: HttpRequest, queryset: QuerySet[CachedAnswer]) -> None:
        count = queryset.filter(pinned=False).update(pinned=True)
        messages.success(
            request, ngettext("已固定 %d 条答案。", "已固定 %d 条答案。", count) % count
        )

    @admin.action(description=gettext_lazy("取消固定所选答案"), permissions=["change"])
    def unpin(self, request: HttpRequest, queryset: QuerySet[CachedAnswer]) -> None:
        count = queryset.filter(pinned=True).update(pinned=False)
        messages.success(
            request, ngettext("已取消固定 %d 条答案。", "已取消固定 %d 条答案。", count) % count
        )
