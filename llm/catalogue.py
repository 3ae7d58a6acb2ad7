"""The models to ask, in order: read from the database, kept in each process for a few seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Set
from datetime import timedelta

from django.db import Error as DatabaseError
from django.utils import timezone

from common.database_threads import database_work
from llm.models import GUESS_KEPT, REFUSAL_KEPT, LanguageModel

logger = logging.getLogger(__name__)

KEEP_SECONDS = 5.0

_lock = threading.Lock()
_kept: tuple[LanguageModel, ...] | None = None
_read_at = 0.0


def enabled() -> tuple[LanguageModel, ...]:
    """The enabled models by position. With the database away the last known ones; one thread at a
    time looks.
    """
    kept = _kept
    if kept is not None and time.monotonic() - _read_at < KEEP_SECONDS:
        return kept
    if not _lock.acquire(blocking=kept is None):
        return kept or ()
    try:
        return _read_again()
    finally:
        _lock.release()


def forget() -> None:
    """Rows have changed: this process reads them again now, the others within seconds."""
    global _kept
    _kept = None


def remember_refused(model: LanguageModel, refused: Set[str], *, is_guess: bool) -> None:
    """Leave these parameters out for some time. Not worth losing an answer for: the next call
    learns it again.
    """
    logger.warning(
        "model %s does not take these parameters, they are left out: %s", model, sorted(refused)
    )
    try:
        _store_refused(model.pk, sorted(refused), GUESS_KEPT if is_guess else REFUSAL_KEPT)
    except DatabaseError:
        logger.exception("this could not be stored")


def _read_again() -> tuple[LanguageModel, ...]:
    global _kept, _read_at
    try:
        _kept = _rows()
    except DatabaseError:
        if _kept is None:
            raise
        logger.warning("models cannot be read again, the known ones are asked", exc_info=True)
    _read_at = time.monotonic()
    return _kept


@database_work
def _rows() -> tuple[LanguageModel, ...]:
    return tuple(LanguageModel.objects.filter(enabled=True))


@database_work
def _store_refused(model_id: int, refused: list[str], kept: timedelta) -> None:
    since = timezone.now() + kept - REFUSAL_KEPT
    LanguageModel.objects.filter(pk=model_id).update(refused_parameters=refused, refused_at=since)
    forget()
