"""The models to ask, in order: read from the database, kept in each process for a few seconds."""

from __future__ import annotations

import logging
from collections.abc import Set
from datetime import timedelta

from django.db import Error as DatabaseError
from django.utils import timezone

from common.database_threads import database_work
from common.fresh import Fresh
from llm.models import GUESS_KEPT, REFUSAL_KEPT, LanguageModel

logger = logging.getLogger(__name__)

KEEP_SECONDS = 5.0


def enabled() -> tuple[LanguageModel, ...]:
    """The enabled models by position."""
    return models.get()


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


@database_work
def _store_refused(model_id: int, refused: list[str], kept: timedelta) -> None:
    since = timezone.now() + kept - REFUSAL_KEPT
    LanguageModel.objects.filter(pk=model_id).update(refused_parameters=refused, refused_at=since)
    models.changed()


def _read() -> tuple[LanguageModel, ...]:
    return tuple(LanguageModel.objects.filter(enabled=True))


models = Fresh(_read, of="models", every=KEEP_SECONDS)
