from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.wechat.fake_api import FakeWeChat


@pytest.fixture
def wechat(settings: Settings) -> Iterator[FakeWeChat]:
    with FakeWeChat() as fake:
        settings.WECHAT_API_URL = fake.url
        yield fake
