from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin_cells import NOTHING, cut_of, moment_of, seconds
from common.admin_filters import TimeFilter, WordsFilter
from common.admin_pages import AdminPage, ReadOnlyPage, Step
from common.private_hosts import PrivateAddress, refuse_private, same_place
from common.secret_field import SecretsAdminMixin, UnreadableSecret, secret_state
from llm import catalogue, gateway
from llm.environment import reserved_names
from llm.errors import CallFailed
from llm.explained import explained
from llm.models import LanguageModel, ModelCall, Outcome

# What the environment says. The rest of such a row (position, limits) has no variable and is set
# here.
_SAID_BY_ENVIRONMENT = ("name", "base_url", "model", "enabled", "temperature", "max_tokens")
_LIMITS = (
    *("max_in_flight", "connect_timeout", "first_token_timeout"),
    *("between_tokens_timeout", "total_timeout"),
)
_OUTCOME_COLOURS = {outcome.value: "danger" for outcome in Outcome} | {
    Outcome.OK.value: "success",
    Outcome.BUSY.value: "warning",
    Outcome.OPEN.value: "warning",
    Outcome.RATE_LIMITED.value: "warning",
}

NOT_OK = "not_ok"


class LanguageModelForm(forms.ModelForm):
    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name in reserved_names() and not self.instance.from_environment:
            raise ValidationError(_("这个名称留给环境变量中的模型。"))
        return name

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        try:
            refuse_private(url)
        except PrivateAddress:
            message = _(
                "这个地址在内网。如确需使用，请把“主机:端口”写入环境变量 ALLOWED_PRIVATE_HOSTS，"
                "重启后再保存。"
            )
            raise ValidationError(message, code="private") from None
        return url

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self._would_carry_the_key_away():
            message = _("接口地址指向了另一台主机，请重新填写 API Key，或清除已保存的。")
            self.add_error("api_key", ValidationError(message, code="other_host"))
        return cleaned

    def _would_carry_the_key_away(self) -> bool:
        """A key goes only where the one who typed it sent it. None: it stays as it is stored."""
        said = self.cleaned_data
        if not self.instance.pk or "base_url" not in said or "api_key" not in said:
            return False
        stored = self.instance.api_key
        # One that cannot be decrypted now is readable again once the former SECRET_KEY is back.
        is_stored = bool(stored) or isinstance(stored, UnreadableSecret)
        keeps_stored = said["api_key"] is None and is_stored
        return keeps_stored and not same_place(self._stored_url(), said["base_url"])

    def _stored_url(self) -> str:
        return LanguageModel.objects.values_list("base_url", flat=True).get(pk=self.instance.pk)


@admin.register(LanguageModel)
class LanguageModelAdmin(SecretsAdminMixin, AdminPage):
    form = LanguageModelForm
    list_display = (
        "name",
        "model",
        cut_of(LanguageModel, "base_url"),
        "position",
        "enabled",
        "origin",
        "key_state",
    )
    empty_text = _(
        "还没有语言模型，机器人只用 FAQ 回答。添加一个 OpenAI 兼容的接口，FAQ "
        "答不上的问题就由它回答。"
    )
    list_filter = ("enabled",)
    search_fields = ("name", "model", "base_url")
    actions = ("test_selected",)
    actions_detail = ("test_one",)
    fieldsets = (
        (
            None,
            {"fields": ("name", "base_url", "api_key", "model", "position", "enabled", "origin")},
        ),
        (_("回答"), {"fields": ("temperature", "max_tokens", "left_out")}),
        (
            _("限制"),
            {
                "fields": (
                    "max_in_flight",
                    "connect_timeout",
                    "first_token_timeout",
                    "between_tokens_timeout",
                    "total_timeout",
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        always = ("origin", "left_out")
        return (
            (*_SAID_BY_ENVIRONMENT, "key_state", *always)
            if obj and obj.from_environment
            else always
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A key from the environment is no field: only whether it is set is shown."""
        (title, options), *others = self.fieldsets
        if not (obj and obj.from_environment):
            return self.fieldsets
        shown = tuple("key_state" if name == "api_key" else name for name in options["fields"])
        return ((title, {"fields": shown}), *others)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and obj.from_environment) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The action that deletes several rows asks for each of them too."""
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        kept = [str(row) for row in objs if row.from_environment]
        return deleted, counts, missing, [*protected, *kept]

    def save_model(self, request: HttpRequest, obj: LanguageModel, form: Any, change: bool) -> None:
        if {"base_url", "model"} & set(form.changed_data):
            obj.refused_parameters = []
        super().save_model(request, obj, form, change)
        catalogue.models.changed()

    def delete_model(self, request: HttpRequest, obj: LanguageModel) -> None:
        super().delete_model(request, obj)
        catalogue.models.changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LanguageModel]) -> None:
        super().delete_queryset(request, queryset)
        catalogue.models.changed()

    @display(description=_("来源"), label=True)
    def origin(self, model: LanguageModel) -> str:
        return gettext("环境变量") if model.from_environment else gettext("后台")

    @display(description="API Key")
    def key_state(self, model: LanguageModel) -> str:
        return secret_state(model.api_key)

    @display(description=_("接口不接受的参数"))
    def left_out(self, model: LanguageModel) -> str:
        found = gettext("、").join(sorted(model.left_out)) or gettext("未发现")
        return gettext(
            "%(found)s（调用时自动发现，之后最多一周不再发送；更换地址或模型、"
            "或点“测试”后重新发现）"
        ) % {"found": found}

    @admin.action(description=_("测试所选模型"), permissions=["change"])
    def test_selected(self, request: HttpRequest, queryset: QuerySet[LanguageModel]) -> None:
        for model in list(queryset):
            _test(request, model)

    @action(
        description=_("测试"),
        url_path="test",
        permissions=["change"],
        icon="play_arrow",
        dialog={
            "title": _("测试这个模型"),
            "description": _("向模型发一句“你好”，会产生少量费用。"),
            "form_class": None,
            "form_submit_text": _("测试"),
        },
    )
    def test_one(self, request: HttpRequest, form: Any, object_id: int) -> HttpResponse:
        _test(request, LanguageModel.objects.get(pk=object_id))
        page = reverse("admin:llm_languagemodel_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": page})


def _test(request: HttpRequest, model: LanguageModel) -> None:
    """Ask the model for one short answer, as if nothing were known of what its endpoint takes."""
    LanguageModel.objects.filter(pk=model.pk).update(refused_parameters=[])
    model.refused_parameters = []
    catalogue.models.changed()
    try:
        completion = gateway.try_model(model)
    except CallFailed as failure:
        text = gettext("%(model)s：%(outcome)s。%(detail)s")
        outcome = failure.outcome.label
        messages.error(
            request, text % {"model": model, "outcome": outcome, "detail": explained(str(failure))}
        )
    else:
        messages.success(
            request,
            gettext("%(model)s 回答：%(text)s") % {"model": model, "text": completion.text[:200]},
        )


class OutcomeFilter(WordsFilter):
    """All that did not go well is one question."""

    title = _("结果")
    parameter_name = column = "outcome"
    words = {NOT_OK: _("所有失败的"), **{str(outcome): outcome.label for outcome in Outcome}}

    def queryset(self, request: HttpRequest, queryset: QuerySet[ModelCall]) -> QuerySet[ModelCall]:
        if self.value() == NOT_OK:
            return queryset.exclude(outcome=Outcome.OK)
        return super().queryset(request, queryset)


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnlyPage):
    """The log is read, never written."""

    list_display = [
        moment_of(ModelCall, "created_at"),
        "model",
        "shown_outcome",
        "shown_first_token",
        "shown_total",
        "prompt_tokens",
        "completion_tokens",
        cut_of(ModelCall, "error", 30, explained),
    ]
    list_filter = [OutcomeFilter, "language_model", ("created_at", TimeFilter)]
    search_fields = ["key", "model", "error"]
    search_help_text = _("搜索模型、来源标识或错误")
    show_full_result_count = False
    fields = [
        "created_at",
        "language_model",
        "model",
        "outcome",
        "shown_error",
        "shown_first_token",
        "shown_total",
        "prompt_tokens",
        "completion_tokens",
        "key",
    ]
    readonly_fields = fields
    empty_text = _("每次调用模型的结果、耗时和用量会出现在这里。")
    empty_step = Step(_("设置语言模型"), ("admin:llm_languagemodel_changelist",))

    @display(description=_("结果"), ordering="outcome", label=_OUTCOME_COLOURS)
    def shown_outcome(self, call: ModelCall) -> tuple[str, str]:
        return call.outcome, call.get_outcome_display()

    @display(description=_("错误"))
    def shown_error(self, call: ModelCall) -> str:
        return explained(call.error) or NOTHING

    @display(description=_("首字"), ordering="first_token_ms")
    def shown_first_token(self, call: ModelCall) -> str:
        return seconds(call.first_token_ms)

    @display(description=_("总耗时"), ordering="total_ms")
    def shown_total(self, call: ModelCall) -> str:
        return seconds(call.total_ms)
