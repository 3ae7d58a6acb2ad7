"""Celery's door to delivery."""

from __future__ import annotations

import logging

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerAway

from conversations.replies import by_api

logger = logging.getLogger(__name__)


@shared_task(name="conversations.tasks.deliver")
def deliver(conversation_id: int) -> None:
    by_api.deliver(conversation_id)


def queue_delivery(conversation_id: int) -> None:
    """Ask the deliver worker for this conversation. A lost publish is found by the
    sweep 5 s later.
    """
    try:
        deliver.apply_async((conversation_id,), retry=False)
    except (BrokerAway, OSError):
        logger.warning("broker is away: conversation %s is delivered by the sweep", conversation_id)
