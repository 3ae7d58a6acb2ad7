"""What all pages of the admin share: empty lists that say what to do, names as they are, filters
that stay.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assistant.models import AnswerLog
from common.admin_pages import AdminPage, Step
from knowledge.models import SynonymRule
from llm.models import LanguageModel, ModelCall, Outcome
from tests.factories import ConversationFactory, MessageFactory
from tickets.desk.queue import ticket_list
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

# There is always one user: who looks at the list.
MODELS = [
    model
    for model in apps.get_models()
    if admin.site.is_registered(model) and model._meta.label != "auth.User"
]


def list_page(model: type[Model]) -> ModelAdmin:
    """Tickets are listed at the desk."""
    return ticket_list if model is Ticket else admin.site.get_model_admin(model)


def address(model: type[Model]) -> str:
    if model is Ticket:
        return reverse("desk:queue")
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", MODELS, ids=[model._meta.label for model in MODELS])
def test_an_empty_list_says_why_and_offers_one_step(
    admin_client: Client, model: type[Model]
) -> None:
    SynonymRule.objects.all().delete()  # The shipped ones.
    page = list_page(model)
    assert isinstance(page, AdminPage)

    html = admin_client.get(address(model)).content.decode()

    assert page.empty_text
    assert str(page.empty_text) in html
    assert html.count('class="empty-step"') == 1


@pytest.mark.parametrize("lookup", ["regex", "iregex"])
@pytest.mark.parametrize("model", MODELS, ids=[model._meta.label for model in MODELS])
def test_no_address_runs_a_pattern_over_the_rows(
    admin_client: Client, model: type[Model], lookup: str
) -> None:
    """On SQLite `(a|a)*$` over a customer's forty letters stops the process, for whoever opens the
    link.
    """
    page = admin_client.get(address(model), {f"{model._meta.pk.name}__{lookup}": "^(a|a)*$"})
    assert page.status_code == 400


def test_no_pattern_hides_behind_a_relation_or_a_part_of_a_date(admin_client: Client) -> None:
    for lookup in ("account__regex", "received_at__year__regex", "text__regex__exact"):
        page = admin_client.get(reverse("admin:conversations_message_changelist"), {lookup: "1"})
        assert page.status_code == 400


SEARCHED = [model for model in MODELS if list_page(model).search_fields]


@pytest.mark.parametrize("model", SEARCHED, ids=[model._meta.label for model in SEARCHED])
def test_a_search_for_thousands_of_words_is_cut(admin_client: Client, model: type[Model]) -> None:
    assert admin_client.get(address(model), {"q": "字 " * 2000}).status_code == 200


def test_a_search_without_results_offers_to_clear_it(admin_client: Client) -> None:
    html = admin_client.get(
        reverse("admin:knowledge_faq_changelist"), {"q": "没有的"}
    ).content.decode()
    assert "没有符合条件的内容" in html
    assert '<a href="?" class="empty-step">清除搜索和筛选</a>' in html


def test_a_step_leads_to_the_first_page_that_is_there() -> None:
    assert Step("去", ("no:such-page", "admin:index")).link == reverse("admin:index")
    assert Step("去", ("no:such-page",)).link == ""


@pytest.mark.parametrize("list_of", ["customer", "conversation"])
def test_an_openid_in_the_title_keeps_its_letters(admin_client: Client, list_of: str) -> None:
    conversation = ConversationFactory(customer__openid="okwQiOwOzrH_BJF_3aaBXuVsDtAR")
    row = conversation.customer if list_of == "customer" else conversation
    html = admin_client.get(
        reverse(f"admin:conversations_{list_of}_change", args=[row.pk])
    ).content.decode()
    assert ">okwQ…DtAR</a>" in html
    assert "OkwQ" not in html


@pytest.mark.parametrize("lang", ["zh-hans", "en"])
def test_the_field_of_an_openid_is_titled_as_wechat_writes_it(
    admin_client: Client, lang: str
) -> None:
    message = MessageFactory()
    for name, row in (("customer", message.conversation.customer), ("message", message)):
        page = reverse(f"admin:conversations_{name}_change", args=[row.pk])
        html = admin_client.get(page, headers={"accept-language": lang}).content.decode()
        assert ">OpenID</label>" in html


def test_a_models_name_in_the_title_keeps_its_letters(admin_client: Client) -> None:
    model = LanguageModel.objects.create(
        name="qwen-plus", base_url="https://model.example/v1", model="qwen-plus"
    )
    html = admin_client.get(
        reverse("admin:llm_languagemodel_change", args=[model.pk])
    ).content.decode()
    assert ">qwen-plus</a>" in html
    assert "Qwen-plus" not in html


@pytest.mark.parametrize(
    ("span", "shown"),
    [("hour", 1), ("day", 2), ("week", 3), ("month", 4), ("", 5), ("nonsense", 5)],
)
def test_a_list_is_filtered_by_how_long_ago(admin_client: Client, span: str, shown: int) -> None:
    for age in (
        timedelta(),
        timedelta(hours=2),
        timedelta(days=2),
        timedelta(days=8),
        timedelta(days=31),
    ):
        ModelCall.objects.create(model="small", outcome=Outcome.OK, created_at=timezone.now() - age)
    page = admin_client.get(
        reverse("admin:llm_modelcall_changelist"), {"created_at": span} if span else {}
    )
    assert page.context["cl"].result_count == shown


def test_the_next_page_keeps_search_and_filters(admin_client: Client) -> None:
    for _ in range(60):
        MessageFactory(text="怎么退货")
    asked = {"q": "退货", "state": "received", "received_at": "day", "kind": "text"}
    page = admin_client.get(reverse("admin:conversations_message_changelist"), asked)
    following = page.context["cl"].get_query_string({"p": 2})
    assert following.replace("&", "&amp;") in page.content.decode()
    again = admin_client.get(reverse("admin:conversations_message_changelist") + following)
    assert (again.context["cl"].result_count, len(again.context["cl"].result_list)) == (60, 30)


def test_unsaved_changes_warn(admin_client: Client) -> None:
    assert (
        "warn-unsaved-form" in admin_client.get(reverse("admin:knowledge_faq_add")).content.decode()
    )


def test_a_form_with_errors_names_the_fields_at_the_top(admin_client: Client) -> None:
    form = {
        "question": "",
        "answer": "",
        "phrasings-TOTAL_FORMS": "1",
        "phrasings-INITIAL_FORMS": "0",
    }
    html = admin_client.post(
        reverse("admin:knowledge_faq_add"), {**form, "phrasings-0-text": "退|换"}
    ).content.decode()
    assert '<a class="errornote-field" href="#id_question">问题</a>' in html
    assert '<a class="errornote-field" href="#id_answer">答案</a>' in html
    assert '<span class="errornote-field">相似问法</span>' in html


def test_deleting_is_named_by_its_verb(admin_client: Client) -> None:
    rule = SynonymRule.objects.create(words="快递 包裹")
    html = admin_client.get(
        reverse("admin:knowledge_synonymrule_delete", args=[rule.pk])
    ).content.decode()
    assert re.search(r"<button[^>]*>\s*删除\s*</button>", html)
    assert "我确定" not in html


def test_filters_chosen_by_link_stay_when_a_range_of_times_is_submitted(
    admin_client: Client,
) -> None:
    AnswerLog.objects.create(question="退货", source="none", doubt="model_down")
    chosen = {"doubt": "model_down", "created_at": "week"}
    html = admin_client.get(
        reverse("admin:assistant_answerlog_changelist"), chosen
    ).content.decode()
    for name, value in chosen.items():
        assert f'<input type="hidden" name="{name}" value="{value}"' in html


def test_a_conversation_leads_to_each_of_its_messages(admin_client: Client) -> None:
    message = MessageFactory()
    page = reverse("admin:conversations_conversation_change", args=[message.conversation.pk])
    address = reverse("admin:conversations_message_change", args=[message.pk])
    assert f'href="{address}"' in admin_client.get(page).content.decode()
