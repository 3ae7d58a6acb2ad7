"""WeChat's API in place of what `api_of` returns: a queue of outcomes, and what was sent."""

from __future__ import annotations

from collections.abc import Callable

from wechat.errors import WeChatError
from wechat.models import OfficialAccount


class ApiStub:
    """`errors` are the outcomes of the next sends, None is success; after them every text is
    taken. `meanwhile` happens while WeChat thinks.
    """

    def __init__(self, *errors: WeChatError | None) -> None:
        self.errors = list(errors)
        self.sent: list[tuple[str, str]] = []
        self.tried = 0
        self.meanwhile: Callable[[], object] | None = None

    def __call__(self, account: OfficialAccount) -> ApiStub:
        return self

    access_token = "token"

    def token_at_hand(self) -> str:
        return self.access_token

    def send_text(
        self,
        openid: str,
        text: str,
        *,
        token: str = "",
        begin: Callable[[], None] | None = None,
    ) -> None:
        if begin is not None:
            begin()
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
