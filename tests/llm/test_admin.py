from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from llm import gateway
from llm.models import LanguageModel, ModelCall, Outcome
from tests.llm.builders import row_for
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:llm_languagemodel_changelist"
KEY = "sk-very-secret"
LIMITS = {
    "max_in_flight": 5,
    "connect_timeout": 1,
    "first_token_timeout": 2,
    "between_tokens_timeout": 2,
    "total_timeout": 3,
}


@pytest.fixture
def editor() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


def page_of(row: LanguageModel) -> str:
    return reverse("admin:llm_languagemodel_change", args=[row.pk])


def form(**values: object) -> dict[str, object]:
    said = {
        "name": "own",
        "base_url": "http://ollama:11434/v1",
        "model": "m",
        "position": 10,
        "enabled": "on",
    }
    return said | {"temperature": 0.7, "max_tokens": 500, "api_key": ""} | LIMITS | values


def test_it_adds_a_model_that_is_asked_at_once(editor: Client) -> None:
    assert not gateway.is_configured()
    editor.post(reverse("admin:llm_languagemodel_add"), form(api_key=KEY))
    assert LanguageModel.objects.get().api_key == KEY
    assert gateway.is_configured()


def test_it_never_shows_a_key(editor: Client, first: ModelServer) -> None:
    for row in (row_for(first, "own"), row_for(first, "LLM", from_environment=True)):
        for url in (reverse(LIST), page_of(row)):
            page = editor.get(url).content.decode()
            assert "已设置" in page
            assert KEY not in page


def test_it_keeps_the_key_when_the_input_stays_empty(editor: Client, first: ModelServer) -> None:
    row = row_for(first, "own")
    editor.post(page_of(row), form(model="other", base_url=first.url))
    row.refresh_from_db()
    assert (row.model, row.api_key) == ("other", KEY)


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "ollama:11434"}, {"temperature": 3}, {"max_in_flight": 0}, {"name": "LLM"}],
)
def test_it_refuses_what_cannot_work(editor: Client, wrong: dict[str, object]) -> None:
    page = editor.post(reverse("admin:llm_languagemodel_add"), form(**wrong))
    assert page.status_code == 200
    assert LanguageModel.objects.count() == 0


def test_it_leaves_what_the_environment_says_as_it_is(editor: Client, first: ModelServer) -> None:
    row = row_for(first, "LLM", from_environment=True)
    editor.post(page_of(row), form(name="x", base_url="http://x", api_key="x", model="x"))
    row.refresh_from_db()
    assert (row.name, row.base_url, row.api_key, row.model) == ("LLM", first.url, KEY, "LLM-chat")
    assert row.max_in_flight == 5  # A limit has no variable.


def test_it_deletes_rows_of_the_admin_only(editor: Client, first: ModelServer) -> None:
    rows = [row_for(first, "LLM", from_environment=True), row_for(first, "own")]
    delete = {"action": "delete_selected", "post": "yes"}
    editor.post(reverse(LIST), delete | {"_selected_action": [row.pk for row in rows]})
    assert LanguageModel.objects.count() == 2
    editor.post(reverse(LIST), delete | {"_selected_action": [rows[1].pk]})
    assert [row.name for row in LanguageModel.objects.all()] == ["LLM"]
    assert (
        editor.post(
            reverse("admin:llm_languagemodel_delete", args=[rows[0].pk]), {"post": "yes"}
        ).status_code
        == 403
    )


def test_it_tests_a_model_and_shows_its_answer(editor: Client, first: ModelServer) -> None:
    row = row_for(first, "own")
    act = {"action": "test_selected", "_selected_action": [row.pk]}
    page = editor.post(reverse(LIST), act, follow=True).content.decode()
    assert "第一个模型的回答。" in page
    assert ModelCall.objects.get().outcome == Outcome.OK


def test_it_shows_why_a_test_failed(editor: Client, first: ModelServer) -> None:
    row = row_for(first, "own")
    first.behave("401")
    act = {"action": "test_selected", "_selected_action": [row.pk]}
    page = editor.post(reverse(LIST), act, follow=True).content.decode()
    assert "被拒绝" in page
    assert "HTTP 401" in page
    assert KEY not in page


def test_it_tests_one_model_from_its_page_after_a_question(
    editor: Client, first: ModelServer
) -> None:
    row = row_for(first, "own", refused_parameters=["tools"])
    url = reverse("admin:llm_languagemodel_test_one", args=[row.pk])
    assert url in editor.get(page_of(row)).content.decode()
    assert "你好" in editor.get(url).content.decode()
    assert first.calls == 0
    answer = editor.post(url, {"_form_submitted": "1"})
    assert answer.headers["HX-Redirect"] == page_of(row)
    assert "第一个模型的回答。" in editor.get(page_of(row)).content.decode()
    assert LanguageModel.objects.get().refused_parameters == []


def test_it_lets_nobody_without_permission_test(first: ModelServer) -> None:
    row = row_for(first, "own")
    client = Client()
    client.force_login(User.objects.create_user("agent", is_staff=True))
    url = reverse("admin:llm_languagemodel_test_one", args=[row.pk])
    assert client.post(url, {"_form_submitted": "1"}).status_code == 403
    assert first.calls == 0


def test_it_learns_again_what_another_endpoint_takes(editor: Client, first: ModelServer) -> None:
    row = row_for(first, "own", refused_parameters=["tools"])
    editor.post(page_of(row), form(model="own-chat", base_url=first.url, max_tokens=9))
    assert LanguageModel.objects.get().refused_parameters == ["tools"]
    editor.post(page_of(row), form(model="other", base_url=first.url))
    assert LanguageModel.objects.get().refused_parameters == []


def test_it_lists_calls_and_lets_nobody_write_them(editor: Client, first: ModelServer) -> None:
    row = row_for(first, "own")
    call = ModelCall.objects.create(
        language_model=row, model="own-chat", outcome=Outcome.TIMEOUT, key="message:1"
    )
    page = editor.get(
        reverse("admin:llm_modelcall_changelist"), {"outcome__exact": "timeout"}
    ).content.decode()
    assert "own-chat" in page
    assert "超时" in page
    assert editor.get(reverse("admin:llm_modelcall_change", args=[call.pk])).status_code == 200
    assert editor.get(reverse("admin:llm_modelcall_add")).status_code == 403
    assert (
        editor.post(
            reverse("admin:llm_modelcall_change", args=[call.pk]), {"model": "x"}
        ).status_code
        == 403
    )
    assert (
        editor.post(
            reverse("admin:llm_modelcall_delete", args=[call.pk]), {"post": "yes"}
        ).status_code
        == 403
    )
