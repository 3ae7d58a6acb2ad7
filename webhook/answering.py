"""Answering a conversation's messages until none is left, in the web process (no model) and in the
worker.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

from assistant.pipeline import Model, NeedsModel
from conversations.models import Hold, Message
from conversations.replies import by_api
from conversations.replies.queueing import queue_delivery
from conversations.replies.routes import route_of
from conversations.turns import leases
from conversations.turns.leases import LeaseLost, Turn
from webhook import flow

logger = logging.getLogger(__name__)

# What is left to do elsewhere, for the publisher: a model must be asked, or texts go out by the
# API.
QueuedTask = tuple[Literal["reply", "deliver"], int]


def answer_here(message: Message, lease: str = "") -> list[QueuedTask]:
    """In the web process, right after the row was stored: what needs no model is answered where it
    arrives. `lease`: of an earlier try, whose claim is ours.
    """
    tasks: list[QueuedTask] = []
    needs_model = flow.surely_needs_model(message)
    conversation_id, turn = leases.attach_and_lease(
        message, lease or leases.new_claim(), leave_to_worker=needs_model
    )
    if turn is None and needs_model:
        return [("reply", conversation_id)]
    while turn is not None:
        if turn.message.pk == message.pk:
            turn.message.words = message.words
        with _let_go_on_error(turn):
            try:
                flow.reply(turn, model=None)
            except NeedsModel:
                leases.give_back(turn)
                return [*tasks, ("reply", conversation_id)]
            except LeaseLost:
                leases.drop(turn)
                return tasks
            if route_of(turn.account).calls_wechat and turn.message.hold != Hold.WAITING:
                tasks.append(("deliver", conversation_id))
            turn = leases.lease_next(turn)
    return tasks


def answer_conversation(conversation_id: int, *, model: Model) -> None:
    """In the worker: all open messages in the customer's order. Finding it taken is no error, the
    holder goes on.
    """
    turn = leases.lease_turn(conversation_id)
    while turn is not None:
        with _let_go_on_error(turn):
            turn.line = by_api.line_at_hand(turn.account)
            try:
                flow.reply(turn, model=model)
            except LeaseLost:
                logger.warning(
                    "message %s was taken over by another worker, our answer is dropped",
                    turn.message.pk,
                )
                leases.drop(turn)
                return
            send_first_part(turn)
            turn = leases.lease_next(turn)


@contextmanager
def _let_go_on_error(turn: Turn) -> Iterator[None]:
    """The lease runs out when nobody renews it, and the sweep gives the
    message its next attempt.
    """
    with ExitStack() as on_error:
        on_error.callback(leases.drop, turn)
        yield
        on_error.pop_all()


def send_first_part(turn: Turn) -> None:
    """What nobody waits for any more goes out at once; the rest is the deliver worker's, with its
    pauses.
    """
    outcome, conversation_id = turn.outcome, turn.conversation.pk
    if not route_of(turn.account).calls_wechat:
        return
    if outcome is not None and outcome.claimed is not None:
        by_api.send(outcome.claimed, turn.line, is_alone=True)
    elif outcome is not None and not outcome.is_due:
        return
    elif by_api.deliver(conversation_id, limit=1) and by_api.has_more(conversation_id):
        queue_delivery(conversation_id)
