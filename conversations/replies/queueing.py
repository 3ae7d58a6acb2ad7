"""Asking the process that delivers for a conversation."""

from __future__ import annotations

import logging

from celery import current_app
from kombu.exceptions import OperationalError as BrokerAway

logger = logging.getLogger(__name__)

# `conversations.tasks` runs it; by name, for whoever delivers asks for deliveries too.
DELIVER = "conversations.tasks.deliver"


def queue_delivery(conversation_id: int) -> None:
    """Ask the deliver worker for this conversation. A lost publish is found by the
    sweep 5 s later.
    """
    try:
        current_app.send_task(DELIVER, (conversation_id,), retry=False)
    except (BrokerAway, OSError):
        logger.warning("broker is away: conversation %s is delivered by the sweep", conversation_id)
