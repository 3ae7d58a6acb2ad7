from __future__ import annotations

import pytest

from tests.factories import make_agent
from tickets.models import Agent


@pytest.fixture
def liming(db: None) -> Agent:
    return make_agent("李明")


@pytest.fixture
def wangfang(liming: Agent) -> Agent:
    return make_agent("王芳")
