from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm import gateway
from llm.breaker import Breaker
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
