"""What WeChat's API may refuse, by name. Each error says whether the same call is worth another
try.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from wechatpy.exceptions import WeChatClientException

_RID = re.compile(r"rid: ?([\w-]+)")
_IP = re.compile(r"invalid ip (\d+(?:\.\d+){3})")


class WeChatError(WeChatClientException):
    """A call that did not succeed. It holds no request: its URL carries the access token."""

    try_again: ClassVar[bool] = False
    # Whether it counts among the tries after which a text is given up.
    counts_as_try: ClassVar[bool] = True
    # The least pause before another try.
    wait_seconds: float = 0

    def __init__(self, code: int = 0, message: str = "", rid: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.rid = rid

    def __str__(self) -> str:
        what = f"{self.code} {self.message}" if self.code else self.message
        return f"{type(self).__name__}: {what}"


class WeChatUnreachable(WeChatError):
    """The call never reached WeChat, or may be repeated without harm."""

    try_again = True


class OutcomeUnknown(WeChatError):
    """Sent, but no readable answer came. WeChat has no key against doubles: never sent again by
    itself.
    """


class WeChatRefused(WeChatError):
    """Any refusal without a name of its own: another try would end the same way."""


class WeChatBusy(WeChatError):
    try_again = True


class TokenRefused(WeChatError):
    """Also after a forced refresh. Something else takes tokens for this account, or it will settle
    by itself.
    """

    try_again = True
    wait_seconds: float = 30


class TokenTooSoon(TokenRefused):
    """Only a forced refresh helps, and the one before it was made a moment ago: the way is free in
    `wait_seconds`.
    """

    counts_as_try = False

    def __init__(
        self, code: int = 0, message: str = "", rid: str = "", *, wait_seconds: float = 30
    ) -> None:
        super().__init__(code, message, rid)
        self.wait_seconds = wait_seconds


class WrongKeys(WeChatError):
    """AppID or AppSecret."""


class IpNotAllowed(WeChatError):
    """Our address is not in the console's IP allow list (IP 白名单), or waits for the
    administrator's word.
    """

    @property
    def ip(self) -> str:
        found = _IP.search(self.message)
        return found.group(1) if found else ""


class AccountFrozen(WeChatError):
    """Secret, token or account are frozen or limited in the console."""


class WrongCustomer(WeChatError):
    """The openid is wrong, or belongs to another account."""


class NotFollowing(WeChatError):
    """The customer does not follow the account."""


class CustomerRefuses(WeChatError):
    """The customer is on our blacklist, took back a consent, or receives no messages."""


class WindowClosed(WeChatError):
    """No message of the customer within 48 hours."""


class QuotaUsedUp(WeChatError):
    """All sends that the customer's last message allowed are used."""


class TextTooLong(WeChatError):
    pass


class BadText(WeChatError):
    """Characters or JSON that WeChat cannot read."""


class BadMedia(WeChatError):
    """The media id is wrong or too old."""


class TooManyCalls(WeChatError):
    """More calls in a minute than the account has."""

    try_again = True
    wait_seconds = 60


class DailyCallsUsedUp(TooManyCalls):
    try_again = False


class KindNotAllowed(WeChatError):
    """This type of account cannot send this kind of message."""


class ApiNotGranted(WeChatError):
    """An unverified account: it has passive replies only."""


class ApiBanned(WeChatError):
    """WeChat took the interface away from the account."""


class TypingRefused(WeChatError):
    """The 「正在输入」 of a chat without a recent exchange, or shown already."""


class DeskRefused(WeChatError):
    """WeChat's own desk: account unknown, offline, taken by another, or not enabled."""


def _codes(error: type[WeChatError], codes: Iterable[int]) -> dict[int, type[WeChatError]]:
    return dict.fromkeys(codes, error)


BY_CODE: dict[int, type[WeChatError]] = {
    **_codes(WeChatBusy, [-1]),
    **_codes(TokenRefused, [40001, 40014, 42001]),
    **_codes(WrongKeys, [40013, 40125, 41002, 41004]),
    **_codes(IpNotAllowed, [40164, 89503, 89506, 89507]),
    **_codes(AccountFrozen, [40243, 50002, 50004, 50007]),
    **_codes(WrongCustomer, [40003]),
    **_codes(NotFollowing, [43004, 50005]),
    **_codes(CustomerRefuses, [43019, 43101, 48002]),
    **_codes(WindowClosed, [45015]),
    **_codes(QuotaUsedUp, [45047]),
    **_codes(TextTooLong, [45002]),
    **_codes(BadText, [40033, 47001]),
    **_codes(BadMedia, [40004, 40007]),
    **_codes(DailyCallsUsedUp, [45009]),
    **_codes(TooManyCalls, [45011]),
    **_codes(KindNotAllowed, [40200]),
    **_codes(ApiNotGranted, [48001]),
    **_codes(ApiBanned, [48004]),
    **_codes(TypingRefused, [45072, 45080, 45081]),
    **_codes(DeskRefused, [*range(61451, 61460), *range(65400, 65418)]),
}


def named(code: int, message: str) -> WeChatError:
    found = _RID.search(message)
    return BY_CODE.get(code, WeChatRefused)(code, message, found.group(1) if found else "")
