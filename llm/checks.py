"""Mistakes in the LLM_* variables, found at start and by `manage.py check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ValidationError

from llm.environment import Named, named_in_environment
from llm.validation import endpoint_url, header_value


def check_environment(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for named in named_in_environment():
        found += _check_named(named)
    return [*found, *_check_values(), *_check_order(), *_check_private_hosts()]


def _check_named(named: Named) -> Iterator[CheckMessage]:
    prefix = named.prefix
    if named.base_url and not named.model:
        hint = f"Set {prefix}_MODEL to a model name that the endpoint knows, such as deepseek-chat."
        yield Error(f"{prefix}_BASE_URL is set, {prefix}_MODEL is not.", hint=hint, id="llm.E001")
    if (named.model or named.api_key) and not named.base_url:
        hint = (
            f"Set {prefix}_BASE_URL to the OpenAI-compatible address, such as "
            "https://api.deepseek.com/v1."
        )
        yield Error(
            f"{prefix}_MODEL or {prefix}_API_KEY is set, {prefix}_BASE_URL is not.",
            hint=hint,
            id="llm.E002",
        )
    if named.base_url and (problem := _problem(endpoint_url, named.base_url)):
        hint = (
            "An address such as https://api.deepseek.com/v1, without /chat/completions, password "
            "or parameters."
        )
        yield Error(f"{prefix}_BASE_URL is no usable address. {problem}", hint=hint, id="llm.E003")
    if problem := _problem(header_value, named.api_key.strip()):
        hint = "Copy the key again, without quotes, spaces or line breaks inside."
        yield Error(f"{prefix}_API_KEY cannot be sent. {problem}", hint=hint, id="llm.E004")


def _check_values() -> Iterator[CheckMessage]:
    if not 0 <= settings.LLM_TEMPERATURE <= 2:
        yield Error(
            "LLM_TEMPERATURE is out of range.",
            hint="A number from 0 to 2; 0.7 is the default.",
            id="llm.E005",
        )
    if settings.LLM_MAX_TOKENS < 1:
        yield Error("LLM_MAX_TOKENS is below 1.", hint="500 is the default.", id="llm.E006")
    if settings.WORKER_THREADS < 2:
        hint = "One thread waits for the model, another must answer meanwhile; 300 is the default."
        yield Error("WORKER_THREADS is below 2.", hint=hint, id="llm.E007")


def _check_private_hosts() -> Iterator[CheckMessage]:
    for entry in settings.ALLOWED_PRIVATE_HOSTS:
        if _is_no_host(entry):
            hint = (
                "Hosts separated by commas, such as ollama:11434,10.0.0.5; no http:// and no path."
            )
            yield Error(
                f"ALLOWED_PRIVATE_HOSTS holds {entry!r}, which is no host.",
                hint=hint,
                id="llm.E008",
            )


def _is_no_host(entry: str) -> bool:
    has_foreign_marks = any(char in "/@?#*," or char.isspace() for char in entry.strip())
    return not entry.strip() or has_foreign_marks


def _check_order() -> Iterator[CheckMessage]:
    first, fallback = named_in_environment()
    if fallback.is_complete and not first.is_complete:
        hint = (
            "Name the one model with LLM_BASE_URL and LLM_MODEL; LLM_FALLBACK_* is for a second "
            "one."
        )
        yield Warning("LLM_FALLBACK_* names a model, LLM_* does not.", hint=hint, id="llm.W001")


def _problem(validate: Any, value: str) -> str:
    try:
        validate(value)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
