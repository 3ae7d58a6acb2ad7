"""Stand-ins for the two outside worlds: a language model, and WeChat's API. Each has a queue and
keeps what it got.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llm.errors import ModelError
from llm.turns import Completion, Tool, Turn
from tests.assistant.fakes import Thinker
from wechat.errors import WeChatError
from wechat.models import OfficialAccount


class FakeModel(Thinker):
    """Stands where `llm.gateway.complete` stands. `meanwhile` happens while it thinks."""

    def __init__(
        self,
        *answers: str | dict[str, Any] | ModelError,
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(*answers)
        self.meanwhile = meanwhile

    def __call__(
        self, turns: Sequence[Turn], *, session_id: str, tool: Tool | None = None
    ) -> Completion:
        if self.meanwhile is not None:
            self.meanwhile()
        return super().__call__(turns, session_id=session_id, tool=tool)


class FakeWeChat:
    """WeChat's API as `api_of` gives it. Outcomes are taken from `errors` in turn; without one a
    text is taken.
    """

    def __init__(self, *errors: WeChatError | None) -> None:
        self.errors = list(errors)
        self.sent: list[tuple[str, str]] = []
        self.tried = 0
        self.meanwhile: Callable[[], object] | None = None

    def __call__(self, account: OfficialAccount) -> FakeWeChat:
        return self

    def send_text(self, openid: str, text: str) -> None:
        self.tried += 1
        if self.meanwhile is not None:
            self.meanwhile()
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.sent.append((openid, text))

    @property
    def texts(self) -> list[str]:
        return [text for _openid, text in self.sent]
