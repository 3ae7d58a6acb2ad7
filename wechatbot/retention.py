"""How long each kind of row is kept, and the pass that deletes what is older.

Tickets and customers stay; what an open ticket shows is never deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from assistant.models import AnswerLog
from common.leases import Leases
from common.retention import Sweep
from conversations import retention as conversations
from llm.models import ModelCall
from tickets.models import Ticket

logger = logging.getLogger(__name__)

LEASE = "retention"
_leases = Leases(seconds=60)


@dataclass(frozen=True)
class Kind:
    """`setting` names the days that it is kept; 0 keeps it for ever. Without a setting its own rows
    say their end.
    """

    name: str
    setting: str
    delete: Callable[[Sweep, datetime], int]

    @property
    def days(self) -> int | None:
        return getattr(settings, self.setting) if self.setting else None


def _messages(sweep: Sweep, before: datetime) -> int:
    shown = Ticket.objects.open().values("conversation_id")
    return conversations.delete_messages(sweep, before, keep=shown)


def _model_calls(sweep: Sweep, before: datetime) -> int:
    return sweep.delete(ModelCall.objects.filter(created_at__lt=before))


def _answer_logs(sweep: Sweep, before: datetime) -> int:
    return sweep.delete(AnswerLog.objects.filter(created_at__lt=before))


def _admin_log(sweep: Sweep, before: datetime) -> int:
    return sweep.delete(LogEntry.objects.filter(action_time__lt=before))


def _sessions(sweep: Sweep, before: datetime) -> int:
    return sweep.delete(Session.objects.filter(expire_date__lt=before))


KINDS = (
    Kind("raw pushes", "KEEP_RAW_DAYS", conversations.forget_raw),
    Kind("model calls", "KEEP_LOG_DAYS", _model_calls),
    Kind("answer logs", "KEEP_LOG_DAYS", _answer_logs),
    Kind("admin log", "KEEP_ADMIN_LOG_DAYS", _admin_log),
    Kind("messages and replies", "KEEP_MESSAGE_DAYS", _messages),
    Kind("expired sessions", "", _sessions),
)


def delete_old(goes_on: Callable[[], bool] | None = None) -> dict[str, int]:
    """How many rows of each kind were deleted. Nothing where another process is at it."""
    lease = _leases.acquire(LEASE, 1)
    if lease is None:
        logger.info("old rows are being deleted by another process")
        return {}
    try:
        return _delete_all(Sweep(goes_on) if goes_on else Sweep())
    finally:
        _leases.release(LEASE, lease)


def _delete_all(sweep: Sweep) -> dict[str, int]:
    now = timezone.now()
    deleted: dict[str, int] = {}
    for kind in KINDS:
        if kind.days == 0:
            continue
        deleted[kind.name] = kind.delete(sweep, now - timedelta(days=kind.days or 0))
        if deleted[kind.name]:
            logger.info("deleted %d old rows: %s", deleted[kind.name], kind.name)
    return deleted
