from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from llm import gateway
from llm.models import LanguageModel
from llm.models_setup import ensure_from_environment

pytestmark = pytest.mark.django_db


@pytest.fixture
def named(settings: Settings) -> Settings:
    settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL = (
        "https://a.example/v1",
        "key-a",
        "model-a",
    )
    settings.LLM_FALLBACK_BASE_URL, settings.LLM_FALLBACK_MODEL = (
        "http://ollama:11434/v1",
        "model-b",
    )
    settings.LLM_TEMPERATURE, settings.LLM_MAX_TOKENS = 0.2, 300
    return settings


def test_it_makes_no_row_when_nothing_is_named() -> None:
    ensure_from_environment()
    assert LanguageModel.objects.count() == 0


def test_it_makes_rows_of_what_is_named(named: Settings) -> None:
    ensure_from_environment()
    one, two = LanguageModel.objects.all()
    assert (one.base_url, one.api_key, one.model) == ("https://a.example/v1", "key-a", "model-a")
    assert (one.temperature, one.max_tokens, one.enabled, one.from_environment) == (
        0.2,
        300,
        True,
        True,
    )
    assert (two.base_url, two.api_key, two.model) == ("http://ollama:11434/v1", "", "model-b")
    assert gateway.is_configured()


def test_it_asks_them_before_those_of_the_admin(named: Settings) -> None:
    LanguageModel.objects.create(name="own", base_url="https://own.example/v1", model="own")
    ensure_from_environment()
    assert [row.name for row in LanguageModel.objects.all()] == ["LLM", "LLM_FALLBACK", "own"]


def test_it_refreshes_them_at_the_next_start(named: Settings) -> None:
    ensure_from_environment()
    named.LLM_API_KEY, named.LLM_MODEL = "key-new", "model-new"
    ensure_from_environment()
    row = LanguageModel.objects.get(name="LLM")
    assert (row.api_key, row.model) == ("key-new", "model-new")
    assert LanguageModel.objects.count() == 2


def test_it_leaves_limits_as_they_were_set_in_the_admin(named: Settings) -> None:
    ensure_from_environment()
    LanguageModel.objects.filter(name="LLM").update(max_in_flight=7, position=5, total_timeout=9)
    ensure_from_environment()
    row = LanguageModel.objects.get(name="LLM")
    assert (row.max_in_flight, row.position, row.total_timeout) == (7, 5, 9)


def test_it_forgets_what_the_endpoint_refused_when_it_is_another_one(named: Settings) -> None:
    ensure_from_environment()
    LanguageModel.objects.update(refused_parameters=["tools"])
    named.LLM_MODEL = "model-new"
    ensure_from_environment()
    refused = dict(LanguageModel.objects.values_list("name", "refused_parameters"))
    assert refused == {"LLM": [], "LLM_FALLBACK": ["tools"]}


def test_it_switches_a_row_off_that_is_named_no_more(named: Settings) -> None:
    ensure_from_environment()
    named.LLM_FALLBACK_BASE_URL = ""
    ensure_from_environment()
    assert dict(LanguageModel.objects.values_list("name", "enabled")) == {
        "LLM": True,
        "LLM_FALLBACK": False,
    }


def test_it_switches_it_on_again_when_it_is_back(named: Settings) -> None:
    ensure_from_environment()
    LanguageModel.objects.update(enabled=False)
    ensure_from_environment()
    assert LanguageModel.objects.filter(enabled=True).count() == 2


def test_it_leaves_rows_of_the_admin_alone(settings: Settings) -> None:
    LanguageModel.objects.create(name="own", base_url="https://own.example/v1", model="own")
    ensure_from_environment()
    assert LanguageModel.objects.get().enabled
