"""The one owner of recovery: every 5 s it looks for what a dying process, a lost publish or a lost
wake left behind.

The database is the truth, the broker a hint. What waits longest comes first, and what was handed on
a moment ago is not handed on again: whoever has it may just be slow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from common import clock
from conversations.metrics import count_sends
from conversations.models import (
    Channel,
    Ending,
    Hold,
    Message,
    MessageState,
    Reply,
    ReplyState,
)
from conversations.replies import outcomes, states
from conversations.replies.queueing import queue_delivery
from conversations.replies.routes import route_of
from conversations.turns.arriving import attach
from wechat.models import OfficialAccount

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(seconds=5)
QUEUE_AGAIN_AFTER = timedelta(seconds=30)
# WeChat's three deliveries are over by then: nobody will come back for a passive reply.
LAST_DELIVERY_OVER = timedelta(seconds=16)
# WeChat lets nothing be sent later than this after the customer's last message.
TEXTS_LIVE = timedelta(hours=48)
BATCH = 500
# A backlog is shared by all workers.
CONVERSATIONS_A_TASK = 20

Step = Callable[[datetime], None]


def pick_up_forgotten(
    queue_replies: Callable[[list[int]], bool],
    deliver: Callable[[int], None] = queue_delivery,
    *,
    most_deliveries: int = BATCH,
) -> None:
    """`queue_replies` tells whether the broker took the task. `deliver` takes one conversation
    whose texts lie, `most_deliveries` of them in one sweep.
    """

    def answer_forgotten(now: datetime) -> None:
        conversation_ids = conversations_to_answer(now)
        for start in range(0, len(conversation_ids), CONVERSATIONS_A_TASK):
            if not queue_replies(conversation_ids[start : start + CONVERSATIONS_A_TASK]):
                leave_to_next_sweep(conversation_ids[start:], now)
                return

    def deliver_lying(now: datetime) -> None:
        for conversation_id in conversations_to_deliver(now, most_deliveries):
            deliver(conversation_id)

    steps = (
        answer_forgotten,
        give_up_waiting_for_delivery,
        mark_unknown,
        send_anew,
        drop_expired,
        deliver_lying,
    )
    for step in steps:
        _try(step)


def _try(step: Step) -> None:
    """A step that fails is tried again by the next sweep, and leaves the other steps alone."""
    try:
        step(clock.now())
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the sweep's step %s waits for the database: %s", step.__name__, error)
        connection.close()
    except Exception:  # One row that a defect stumbles over must not hide all the others.
        logger.exception("the sweep's step %s failed", step.__name__)


def conversations_to_answer(now: datetime) -> list[int]:
    """(a) RECEIVED for 5 s and not queued in the last 30 s; (b) ANSWERING by somebody whose lease
    ran out, and not queued since or in the last 30 s.
    """
    not_queued_lately = Q(queued_at=None) | Q(queued_at__lt=now - QUEUE_AGAIN_AFTER)
    received = Message.objects.filter(
        not_queued_lately,
        state=MessageState.RECEIVED,
        received_at__lt=now - FORGOTTEN_AFTER,
    )
    orphaned = Message.objects.filter(
        not_queued_lately | Q(queued_at__lt=F("conversation__lease_until")),
        state=MessageState.ANSWERING,
        conversation__lease_until__lt=now,
    )
    message_ids = [
        message_id
        for rows in (received, orphaned)
        for message_id in rows.order_by("received_at").values_list("pk", flat=True)[:BATCH]
    ]
    if not message_ids:
        return []
    logger.warning("%d forgotten messages are queued again", len(message_ids))
    Message.objects.filter(pk__in=message_ids).update(queued_at=now)
    return attach(message_ids)


def leave_to_next_sweep(conversation_ids: list[int], now: datetime) -> None:
    """The broker is away, so nobody has what this sweep has noted as queued."""
    noted = Message.objects.filter(conversation__in=conversation_ids, queued_at=now)
    noted.update(queued_at=None)


def conversations_to_deliver(now: datetime, most: int = BATCH) -> list[int]:
    """(c) Due for 5 s, with nobody waiting, and not handed on since or in the last 30 s: the API
    carries it. Rows in their pause between two tries are not due.
    """
    lying = _lying_ready(now).exclude(conversation__account__in=passive_accounts())
    not_queued = Q(queued_at=None) | Q(queued_at__lt=F("due_at"))
    rows = lying.filter(not_queued | Q(queued_at__lt=now - QUEUE_AGAIN_AFTER))
    in_order = rows.order_by("due_at", "pk").values_list("pk", "conversation_id")[:most]
    conversation_of = dict(in_order)
    Reply.objects.filter(pk__in=conversation_of).update(queued_at=now)
    return list(dict.fromkeys(conversation_of.values()))


def give_up_waiting_for_delivery(now: datetime) -> None:
    """(c) On an account without the API no delivery is left to carry it: it waits for the
    customer's next push.
    """
    late = _lying_ready(now).filter(
        Q(message=None)
        | Q(message__received_at__lt=now - LAST_DELIVERY_OVER)
        | ~Q(message__ended_with=Ending.OPEN),
        conversation__account__in=passive_accounts(),
    )
    reply_ids = list(late.values_list("pk", flat=True)[:BATCH])
    states.hold_back(Reply.objects.filter(pk__in=reply_ids))


def passive_accounts() -> list[int]:
    accounts = OfficialAccount.objects.all()
    return [account.pk for account in accounts if route_of(account).waits_for_push]


def _lying_ready(now: datetime) -> QuerySet[Reply]:
    being_waited_for = Q(
        message__hold=Hold.WAITING, message__hold_until__gt=now, message__ended_with=Ending.OPEN
    )
    return Reply.objects.filter(state=ReplyState.READY, due_at__lt=now - FORGOTTEN_AFTER).exclude(
        being_waited_for
    )


def mark_unknown(now: datetime) -> None:
    """(d) Died in the call. WeChat has no idempotency key, so it is shown and never sent again by
    itself.
    """
    lost = states.lose_sight_of_all(now, "the process that sent it died")
    if lost:
        count_sends(Channel.API, ReplyState.UNKNOWN, lost)
        logger.error("%d replies were being sent when their process died: outcome unknown", lost)


def send_anew(now: datetime) -> None:
    """(e) Claimed by a process that died or stood still before its call: WeChat never saw it."""
    lost = states.lost_before_their_call(now).select_related("conversation__customer")
    for reply in lost[:BATCH]:
        outcomes.let_go(reply)
        logger.warning("reply %s was claimed by a process that did not send it", reply.pk)


def drop_expired(now: datetime) -> None:
    """WeChat takes nothing later than 48 h after the customer's last message; the message notes
    what was not read.
    """
    expired = Reply.objects.filter(
        state=ReplyState.WAITING_FOR_CUSTOMER, created_at__lt=now - TEXTS_LIVE
    )
    for reply in expired.select_related("message")[:BATCH]:
        with transaction.atomic():
            dropped = states.expire(reply, "the customer did not come back within 48 hours")
            if dropped and reply.message_id:
                Message.objects.filter(pk=reply.message_id).update(
                    note=_("第 {part} 段超过 48 小时未送达，已放弃。").format(part=reply.part)
                )
