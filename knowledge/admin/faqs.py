"""Questions with their answers, by category, in and out as CSV."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV
from unfold.admin import TabularInline
from unfold.contrib.import_export.forms import ImportForm
from unfold.decorators import display

from common.admin_cells import cut_of, moment_of
from common.admin_filters import TimeFilter
from knowledge.admin.shared import ChangesKnowledge
from knowledge.exchange import csv_file
from knowledge.exchange.faqs import FAQResource
from knowledge.exchange.import_writing import KnowledgeMoved, pause_after
from knowledge.exchange.uploads import Upload
from knowledge.models import FAQ, Category, Phrasing
from knowledge.terms import wording
from knowledge.validation import Wordings
from knowledge.versions import knowledge_changed

# Of an import's lines in the admin's log, this many go into one transaction.
LOG_SLICE_ROWS = 500


@admin.register(Category)
class CategoryAdmin(ChangesKnowledge):
    list_display = ["name", "position", "faq_count"]
    list_editable = ["position"]
    search_fields = ["name"]
    empty_text = gettext_lazy("FAQ 多了以后，用分类整理，筛选起来更快。")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).annotate(faqs=Count("faq"))

    @display(description=gettext_lazy("FAQ 数"), ordering="faqs")
    def faq_count(self, category: Any) -> int:
        return category.faqs


class FAQForm(forms.ModelForm):
    def clean_question(self) -> str:
        question = self.cleaned_data["question"].strip()
        Wordings.stored(but=self.instance.pk or 0).check(question)
        return question


class PhrasingFormSet(BaseInlineFormSet):
    """Each way to ask belongs to one FAQ, and stands there once."""

    def clean(self) -> None:
        super().clean()
        others = Wordings.stored(but=self.instance.pk or 0)
        seen = {wording(self.instance.question)}
        for form in self.forms:
            text = form.cleaned_data.get("text") if form.is_valid() else None
            if text is None or form.cleaned_data.get("DELETE"):
                continue
            try:
                others.check(text)
            except ValidationError as error:
                form.add_error("text", error)
                continue
            if wording(text) in seen:
                form.add_error("text", _("与标准问题或上面的问法重复。"))
            seen.add(wording(text))


class PhrasingInline(TabularInline):
    model = Phrasing
    formset = PhrasingFormSet
    fields = ["text"]
    extra = 2


class FAQFile(CSV):
    """The CSV of `import_faqs` and `export_faqs`."""

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def get_title(self) -> str:
        return "CSV"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Any:
        return csv_file.read(csv_file.decode(in_stream))

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        return csv_file.write(dataset).encode()


class FAQImportForm(ImportForm):
    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        try:
            csv_file.check_size(file.size)
        except csv_file.FileRefused as refused:
            raise ValidationError(str(refused)) from refused
        return file


@admin.register(FAQ)
class FAQAdmin(ChangesKnowledge, ImportExportModelAdmin):
    form = FAQForm
    inlines = [PhrasingInline]
    list_display = [
        cut_of(FAQ, "question"),
        cut_of(FAQ, "answer"),
        "category",
        "phrasing_count",
        "enabled",
        moment_of(FAQ, "updated_at"),
    ]
    list_filter = ["enabled", "category", ("updated_at", TimeFilter)]
    list_select_related = ["category"]
    search_fields = ["question", "answer", "phrasings__text"]
    search_help_text = gettext_lazy("搜索问题、答案和相似问法")
    ordering = ["-updated_at"]
    actions = ["enable", "disable"]
    fields = ["question", "answer", "category", "enabled"]
    empty_text = gettext_lazy(
        "机器人按这里的问题和答案回复客户。先添加一条，或用右上角的「导入」上传 CSV。"
    )

    resource_classes = [FAQResource]
    formats = import_formats = export_formats = [FAQFile]
    import_form_class = FAQImportForm
    tmp_storage_class = Upload
    skip_export_form = True  # There is nothing to choose: what the list shows comes as one file.
    import_template_name = "knowledge/import_faqs.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[FAQ]:
        return super().get_queryset(request).annotate(ways=Count("phrasings", distinct=True))

    @display(description=gettext_lazy("问法数"), ordering="ways")
    def phrasing_count(self, faq: Any) -> int:
        return faq.ways

    def save_model(self, request: HttpRequest, obj: FAQ, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.fits_one_message:
            messages.warning(request, _("这条答案较长，在微信里会分成几条发送，建议精简。"))

    @admin.action(description=gettext_lazy("启用所选 FAQ"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[FAQ]) -> None:
        count = self._switch(queryset, enabled=True)
        messages.success(
            request, ngettext("已启用 %d 条 FAQ。", "已启用 %d 条 FAQ。", count) % count
        )

    @admin.action(description=gettext_lazy("停用所选 FAQ"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[FAQ]) -> None:
        count = self._switch(queryset, enabled=False)
        messages.success(
            request, ngettext("已停用 %d 条 FAQ。", "已停用 %d 条 FAQ。", count) % count
        )

    def _switch(self, queryset: QuerySet[FAQ], *, enabled: bool) -> int:
        chosen = list(queryset.values_list("pk", flat=True))
        count = FAQ.objects.filter(pk__in=chosen).switch(enabled=enabled)
        knowledge_changed()
        return count

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_export_filename(
        self, request: HttpRequest, queryset: QuerySet[FAQ], file_format: Any
    ) -> str:
        """Named by the editor's day, not by UTC's."""
        return f"FAQ-{timezone.localdate():%Y-%m-%d}.{file_format.get_extension()}"

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        if isinstance(e, csv_file.FileRefused):
            form.add_error("import_file", str(e))
        else:
            super().add_data_read_fail_error_to_form(form, e)

    def write_to_tmp_storage(self, import_file: Any, input_format: Any) -> Upload:
        upload = Upload()
        upload.save(import_file.read())
        return upload

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = super().import_action(request, **kwargs)
        if result := response.context_data.get("result"):
            result.shorten()
        return response

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return super().process_import(request, **kwargs)
        except (csv_file.FileRefused, KnowledgeMoved) as refused:
            return self._upload_again(request, str(refused))

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """Somebody may have edited after the preview, so that a row is wrong now: then nothing was
        written.
        """
        if not result.has_errors() and not result.has_validation_errors():
            return super().process_result(result, request)
        return self._upload_again(request, str(KnowledgeMoved(0)))

    def _upload_again(self, request: HttpRequest, reason: str) -> HttpResponse:
        messages.error(request, reason)
        return HttpResponseRedirect(reverse("admin:knowledge_faq_import"))

    def _create_log_entry(
        self, user_pk: int, rows: Sequence[FAQ], import_type: str, action_flag: int
    ) -> None:
        """In slices, as the FAQs themselves: customers' messages wait for each transaction on
        SQLite.
        """
        for start in range(0, len(rows), LOG_SLICE_ROWS):
            began = time.monotonic()
            super()._create_log_entry(
                user_pk, rows[start : start + LOG_SLICE_ROWS], import_type, action_flag
            )
            if start + LOG_SLICE_ROWS < len(rows):
                pause_after(time.monotonic() - began)
