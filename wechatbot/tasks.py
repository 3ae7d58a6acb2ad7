"""Celery's door to what happens every night."""

from __future__ import annotations

from celery import shared_task
from celery.worker import state

from wechatbot import retention


@shared_task(name="wechatbot.tasks.delete_old")
def delete_old() -> None:
    retention.delete_old(_is_running)


def _is_running() -> bool:
    """A worker that was told to end waits for its tasks; the rest is deleted the next time."""
    # Celery puts the exit code there, and 0 is one.
    return state.should_stop is None or state.should_stop is False
