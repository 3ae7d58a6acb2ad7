from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

GOOD = {
    "LLM_BASE_URL": "https://api.deepseek.com/v1",
    "LLM_API_KEY": "sk-1",
    "LLM_MODEL": "deepseek-chat",
}


def found(settings: Settings, **values: Any) -> list[str]:
    for name, value in values.items():
        setattr(settings, name, value)
    messages = [message for message in run_checks() if (message.id or "").startswith("llm.")]
    assert all(message.hint for message in messages)
    return [message.id or "" for message in messages]


def test_it_is_content_with_nothing(settings: Settings) -> None:
    assert found(settings) == []


@pytest.mark.parametrize(
    "url", ["https://api.deepseek.com/v1", "http://ollama:11434/v1/", "http://127.0.0.1:8080"]
)
def test_it_is_content_with_a_model(settings: Settings, url: str) -> None:
    assert found(settings, **GOOD | {"LLM_BASE_URL": url}) == []


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (GOOD | {"LLM_MODEL": ""}, ["llm.E001"]),
        (GOOD | {"LLM_BASE_URL": ""}, ["llm.E002"]),
        ({"LLM_API_KEY": "sk-1"}, ["llm.E002"]),
        (GOOD | {"LLM_BASE_URL": "api.deepseek.com/v1"}, ["llm.E003"]),
        (GOOD | {"LLM_BASE_URL": "ftp://api.deepseek.com"}, ["llm.E003"]),
        (GOOD | {"LLM_BASE_URL": "https://"}, ["llm.E003"]),
        (GOOD | {"LLM_BASE_URL": "http://[oops"}, ["llm.E003"]),
        (GOOD | {"LLM_BASE_URL": "https://host:port/v1"}, ["llm.E003"]),
        (GOOD | {"LLM_BASE_URL": "https://user:password@api.deepseek.com/v1"}, ["llm.E003"]),
        (GOOD | {"LLM_BASE_URL": "https://api.deepseek.com/v1/chat/completions"}, ["llm.E003"]),
        (GOOD | {"LLM_API_KEY": "sk 1"}, ["llm.E004"]),
        (GOOD | {"LLM_API_KEY": "密钥"}, ["llm.E004"]),
        ({"LLM_TEMPERATURE": 2.1}, ["llm.E005"]),
        ({"LLM_MAX_TOKENS": 0}, ["llm.E006"]),
        ({"WORKER_THREADS": 1}, ["llm.E007"]),
        (GOOD | {"LLM_FALLBACK_BASE_URL": "https://b.example/v1"}, ["llm.E001"]),
        (
            {"LLM_FALLBACK_BASE_URL": "https://b.example/v1", "LLM_FALLBACK_MODEL": "b"},
            ["llm.W001"],
        ),
    ],
)
def test_it_names_the_mistake(settings: Settings, values: dict[str, Any], ids: list[str]) -> None:
    assert found(settings, **values) == ids
