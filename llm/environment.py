"""What the LLM_* variables name. Without models, so that the system checks can read it early."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Named:
    """What one group of variables says; its prefix is the row's name."""

    prefix: str
    position: int
    base_url: str
    api_key: str
    model: str

    @property
    def is_complete(self) -> bool:
        return bool(self.base_url and self.model)


def named_in_environment() -> tuple[Named, Named]:
    return (
        Named("LLM", 0, settings.LLM_BASE_URL, settings.LLM_API_KEY, settings.LLM_MODEL),
        Named(
            "LLM_FALLBACK",
            1,
            settings.LLM_FALLBACK_BASE_URL,
            settings.LLM_FALLBACK_API_KEY,
            settings.LLM_FALLBACK_MODEL,
        ),
    )


def reserved_names() -> frozenset[str]:
    return frozenset(named.prefix for named in named_in_environment())
