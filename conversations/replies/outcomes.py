"""What became of a send: the only place that turns an error of WeChat into the state of a row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import transaction

from common import clock
from common.database_threads import database_work
from common.keeping import keep_trying
from conversations.metrics import count_sends
from conversations.models import Channel, Reply, ReplyState
from conversations.replies import states
from conversations.window import ledger
from wechat import accounts
from wechat.errors import (
    ApiNotGranted,
    NotFollowing,
    OutcomeUnknown,
    QuotaUsedUp,
    WeChatError,
    WindowClosed,
)

logger = logging.getLogger(__name__)

# Growing pauses between tries, in seconds; after the last the row is FAILED with its reason.
RETRY_PAUSES = (2, 5, 15, 60, 180)
# What WeChat said is known to this process alone: it is kept for as long as the database is away.
KEEP_OUTCOME_SECONDS = 900.0
KEEP_OUTCOME_PAUSE = 0.5


def keep_sent(reply: Reply) -> None:
    _keep(partial(record_sent, reply))


def keep_error(reply: Reply, error: WeChatError) -> None:
    logger.warning("reply %s was not sent: %s", reply.pk, error)
    _keep(partial(record_error, reply, error))


def keep_not_begun(reply: Reply) -> None:
    _keep(partial(record_not_begun, reply))


def _keep(write: Callable[[], None]) -> None:
    keep_trying(
        write,
        seconds=KEEP_OUTCOME_SECONDS,
        pause=KEEP_OUTCOME_PAUSE,
        what="the outcome of a send",
    )


@database_work
def record_not_begun(reply: Reply) -> None:
    with transaction.atomic():
        if states.take_back(reply):
            ledger.refund(reply.conversation.customer, clock.now())


@database_work
def let_go(reply: Reply) -> None:
    """Of a process that died, or stands still, before its call."""
    with transaction.atomic():
        if states.let_go(reply):
            ledger.refund(reply.conversation.customer, clock.now())


@database_work
def record_sent(reply: Reply) -> None:
    """Also where the sweep has given us up: that WeChat took it is the truth."""
    if states.accept(reply, clock.now()):
        count_sends(Channel.API, ReplyState.SENT)


@database_work
def record_error(reply: Reply, error: WeChatError) -> None:
    """The one place where an error becomes a state."""
    reason = str(error)[:200]
    with transaction.atomic():
        match error:
            case OutcomeUnknown():
                _lose_sight(reply, reason)
            case WindowClosed() | QuotaUsedUp():
                _wait_for_customer(reply, reason)
                ledger.close(reply.conversation.customer)
            case ApiNotGranted():
                _wait_for_customer(reply, reason)
                accounts.turn_passive(reply.conversation.account_id)
            case WeChatError(counts_as_try=False):
                _try_later(reply, error.wait_seconds, reason, counts=False)
            case WeChatError(try_again=True) if reply.tries <= len(RETRY_PAUSES):
                pause = max(RETRY_PAUSES[reply.tries - 1], error.wait_seconds)
                _try_later(reply, pause, reason)
            case _:
                _give_up(reply, error, reason)


def _lose_sight(reply: Reply, reason: str) -> None:
    if states.lose_sight(reply, clock.now(), reason):
        count_sends(Channel.API, ReplyState.UNKNOWN)


def _try_later(reply: Reply, seconds: float, reason: str, *, counts: bool = True) -> None:
    now = clock.now()
    due_at = now + timedelta(seconds=seconds)
    if states.try_later(reply, due_at, reason, counts=counts):
        ledger.refund(reply.conversation.customer, now)
        count_sends(Channel.API, ReplyState.READY)


def _wait_for_customer(reply: Reply, reason: str) -> None:
    """All that is ready does: what WeChat refuses now holds for every text of the conversation."""
    if states.refuse_now(reply, reason):
        ledger.refund(reply.conversation.customer, clock.now())
        count_sends(Channel.API, ReplyState.WAITING_FOR_CUSTOMER)
    states.hold_back(Reply.objects.filter(conversation_id=reply.conversation_id))


def _give_up(reply: Reply, error: WeChatError, reason: str) -> None:
    if isinstance(error, NotFollowing):
        ledger.note_left(reply.conversation.customer_id)
    if states.refuse(reply, reason):
        ledger.refund(reply.conversation.customer, clock.now())
        count_sends(Channel.API, ReplyState.FAILED)
        states.fail_behind(reply, reason)
