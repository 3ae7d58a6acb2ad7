"""Celery's door to delivery."""

from __future__ import annotations

from celery import shared_task

from conversations.replies import by_api
from conversations.replies.queueing import DELIVER


@shared_task(name=DELIVER)
def deliver(conversation_id: int) -> None:
    by_api.deliver(conversation_id)
