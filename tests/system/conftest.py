from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.shop import Shop


@pytest.fixture(scope="session")
def _shop() -> Iterator[Shop]:
    """One for all tests of a process: they kill its parts, and the next test finds them alive
    again.
    """
    changes = {"HOLD_SECONDS": "4", "RATE_LIMIT_PER_MINUTE": "20", "WECHAT_ENCRYPTED_ONLY": "false"}
    with Shop(webs=2, workers=2, with_fallback=True, environment=changes) as shop:
        yield shop


@pytest.fixture
def shop(_shop: Shop) -> Shop:
    _shop.clean()
    return _shop


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Not here: these tests never look at the Redis of their own process."""


@pytest.fixture(autouse=True)
def _fresh_knowledge() -> None:
    """Nor at its knowledge."""
