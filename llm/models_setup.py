"""The models that the environment names, kept as rows: refreshed at each start, switched off when
the name is gone.
"""

from __future__ import annotations

from django.conf import settings

from llm import catalogue
from llm.environment import Named, named_in_environment
from llm.models import LanguageModel


def ensure_from_environment() -> None:
    for named in named_in_environment():
        if named.is_complete:
            _refresh(named)
        else:
            LanguageModel.objects.filter(name=named.prefix, from_environment=True).update(
                enabled=False
            )
    catalogue.models.changed()


def _refresh(named: Named) -> None:
    """Limits and position have no variable: they stay as somebody set them in the admin."""
    said = {
        "base_url": named.base_url,
        "api_key": named.api_key.strip(),
        "model": named.model,
        "enabled": True,
        "from_environment": True,
        "temperature": settings.LLM_TEMPERATURE,
        "max_tokens": settings.LLM_MAX_TOKENS,
    }
    known = LanguageModel.objects.filter(name=named.prefix).first()
    if known and (known.base_url, known.model) != (named.base_url, named.model):
        said["refused_parameters"] = []
    LanguageModel.objects.update_or_create(
        name=named.prefix, defaults=said, create_defaults={**said, "position": named.position}
    )
