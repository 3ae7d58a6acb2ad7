"""Former names of the worlds."""

from tests.worlds.api_stub import ApiStub as FakeWeChat
from tests.worlds.model_stub import ModelStub as FakeModel

__all__ = ["FakeModel", "FakeWeChat"]
