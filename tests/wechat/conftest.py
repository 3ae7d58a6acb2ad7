from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.worlds.api_server import ApiServer


@pytest.fixture
def wechat(settings: Settings) -> Iterator[ApiServer]:
    with ApiServer() as fake:
        settings.WECHAT_API_URL = fake.url
        yield fake
