from __future__ import annotations

import pytest

from conversations.replies import by_api
from tests.worlds.api_stub import ApiStub


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> ApiStub:
    """WeChat's API, and no pause between two texts."""
    fake = ApiStub()
    monkeypatch.setattr(by_api, "api_of", fake)
    monkeypatch.setattr(by_api, "PAUSE_SECONDS", 0)
    return fake
