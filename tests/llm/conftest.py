from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from llm import catalogue, gateway
from llm.breaker import Breaker
from llm.models import LanguageModel
from tests.fake_model import FakeModel


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure is known of a model with the same id."""
    monkeypatch.setattr(gateway, "breaker", Breaker())


@pytest.fixture
def first() -> Iterator[FakeModel]:
    with FakeModel(answer="第一个模型的回答。") as model:
        yield model


@pytest.fixture
def second() -> Iterator[FakeModel]:
    with FakeModel(answer="第二个模型的回答。") as model:
        yield model


def row_for(model: FakeModel, name: str = "first", **fields: Any) -> LanguageModel:
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
    catalogue.forget()
    return created
