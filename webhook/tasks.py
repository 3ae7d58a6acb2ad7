"""Celery's door to the worker."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerAway

from llm import gateway
from llm.turns import ChatTurn, Completion, Tool
from webhook.answering import answer_conversation

logger = logging.getLogger(__name__)

# After an outage many messages come at once: some may wait this long for a model's slot. Short
# enough for the kind line to be the passive reply, on both kinds of account.
SLOT_WAIT_SECONDS = 1.5


@lru_cache(maxsize=1)
def _companions() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.WORKER_THREADS, thread_name_prefix="reply")


def _ask(
    turns: Sequence[ChatTurn], *, session_id: str, key: str, tools: Sequence[Tool] = ()
) -> Completion:
    return gateway.complete(
        turns, session_id=session_id, key=key, tools=tools, wait_for_slot=SLOT_WAIT_SECONDS
    )


@shared_task(name="webhook.tasks.reply_to_customers")
def reply_to_customers(conversation_ids: list[int]) -> None:
    """Several conversations come in one task in a rush (a publish is dear); each gets a thread of
    its own.
    """
    first, *others = conversation_ids
    companions = [_companions().submit(answer_conversation, pk, model=_ask) for pk in others]
    try:
        answer_conversation(first, model=_ask)
    finally:
        for companion in companions:
            if error := companion.exception():
                logger.error("a conversation could not be answered", exc_info=error)


def queue_replies(conversation_ids: list[int]) -> bool:
    """Ask the worker. A lost publish is found by the sweep 5 s later, so nothing is tried twice
    here. False: the broker is away.
    """
    if not conversation_ids:
        return True
    try:
        reply_to_customers.apply_async((conversation_ids,), retry=False)
    except (BrokerAway, OSError) as error:
        logger.warning(
            "broker is away, %d conversations are left to the sweep: %s",
            len(conversation_ids),
            error,
        )
        return False
    return True
