"""The ways to the customers of an account, and what each of them can do.

A verified account calls WeChat's customer-service API (`API`), an unverified one has nothing but
the replies to its customers' pushes (`PASSIVE`). Nobody else asks which kind an account is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from conversations.models import ReplyState
from conversations.replies.queueing import queue_delivery
from wechat import accounts


class HasReplyMode(Protocol):
    """An OfficialAccount, or its `Account`."""

    @property
    def may_send(self) -> bool: ...


@dataclass(frozen=True)
class Route:
    """`calls_wechat`: a text goes out by a call of ours, whether the customer writes or not.

    `at_rest`: the state of a text that no open request will carry.
    """

    name: str
    calls_wechat: bool
    at_rest: ReplyState

    @property
    def waits_for_push(self) -> bool:
        """What could not go out with a push goes out with the customer's next one."""
        return not self.calls_wechat

    def carry_on(self, conversation_id: int) -> None:
        """See to it that what is ready goes out. A push asks by itself for what waits for it."""
        if self.calls_wechat:
            queue_delivery(conversation_id)


API = Route("api", calls_wechat=True, at_rest=ReplyState.READY)
PASSIVE = Route("passive", calls_wechat=False, at_rest=ReplyState.WAITING_FOR_CUSTOMER)


def route_of(account: HasReplyMode) -> Route:
    return API if account.may_send else PASSIVE


def route_of_id(account_id: int) -> Route:
    """As the account is now: WeChat may have taken the API away from it."""
    return route_of(accounts.by_id(account_id))
