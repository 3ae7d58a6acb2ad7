"""Rows of models for the tests of the gateway."""

from __future__ import annotations

from typing import Any

from common.fresh import forget_all
from llm.models import LanguageModel
from tests.worlds.model_server import ModelServer


def row_for(model: ModelServer, name: str = "first", **fields: Any) -> LanguageModel:
    """A row that points to the fake, with limits short enough to wait for."""
    limits = {"connect_timeout": 1.0, "first_token_timeout": 0.3, "total_timeout": 0.6}
    chosen = {
        "base_url": model.url,
        "api_key": "sk-very-secret",
        "model": f"{name}-chat",
        **limits,
        **fields,
    }
    created = LanguageModel.objects.create(name=name, **chosen)
    forget_all()
    return created
