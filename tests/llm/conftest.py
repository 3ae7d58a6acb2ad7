from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm import gateway
from llm.breaker import Breaker
from tests.worlds.model_behaviours import Manner
from tests.worlds.model_server import ModelServer


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure is known of a model with the same id."""
    monkeypatch.setattr(gateway, "breaker", Breaker())


@pytest.fixture
def first() -> Iterator[ModelServer]:
    with ModelServer(Manner(answer="第一个模型的回答。")) as model:
        yield model


@pytest.fixture
def second() -> Iterator[ModelServer]:
    with ModelServer(Manner(answer="第二个模型的回答。")) as model:
        yield model
