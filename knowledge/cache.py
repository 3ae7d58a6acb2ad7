"""Answers that a model gave, for the next customer of the same account who asks the same.

`whose` is what `wechat.accounts.namespace` says: accounts have personas of their own, and share no
answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone

from common.database_threads import database_work
from common.redis import REDIS_AWAY, redis
from common.text import Words
from knowledge.models import CachedAnswer
from knowledge.versions import knowledge_version

logger = logging.getLogger(__name__)

KEEP_FOR = timedelta(days=7)
# An answer out of use stays this long, so that an editor can still read and pin it.
DELETE_AFTER = timedelta(days=30)
SWEEP_EVERY = timedelta(hours=1)
# Hits are counted here and written to the rows when somebody looks: a row write per hit would cost
# more than the find.
HITS_KEY = "knowledge:cached_answer_hits"
SWEPT_KEY = "knowledge:cache_swept"


def find(question: Words, *, whose: str = "") -> CachedAnswer | None:
    """The answer to give again: pinned, or made from the knowledge as it is now and not too old."""
    found = _read(normalised(question, whose))
    if found is None:
        return None
    version = "" if found.pinned else knowledge_version()
    if not found.is_usable(knowledge_version=version, now=timezone.now()):
        return None
    with contextlib.suppress(*REDIS_AWAY):  # A hit uncounted is no reason to lose the answer.
        redis().hincrby(HITS_KEY, str(found.pk), 1)
    return found


def keep(
    question: Words, answer: str, *, model_name: str, knowledge_version: str, whose: str = ""
) -> None:
    """Keep what a model answered. An answer that an editor pinned stays as it is."""
    if not question.joined or not answer.strip():
        return
    try:
        _write(normalised(question, whose), question.text, answer, model_name, knowledge_version)
        _sweep_now_and_then()
    except DatabaseError as error:  # The customer still gets the answer that was paid for.
        logger.warning("an answer could not be kept for the next customer: %s", error)


def normalised(question: Words, whose: str = "") -> str:
    # No wording holds a zero byte. The first account's keys are those from before there were
    # others.
    key = f"{whose}\0{question.joined}" if whose else question.joined
    return hashlib.sha256(key.encode()).hexdigest()


@database_work
def write_down_hits() -> None:
    """Move the counted hits onto the rows."""
    try:
        with redis().pipeline(transaction=True) as steps:
            steps.hgetall(HITS_KEY)
            steps.delete(HITS_KEY)
            counted, _deleted = steps.execute()
    except REDIS_AWAY:
        return
    rows = CachedAnswer.objects.in_bulk([int(pk) for pk in counted])
    for pk, row in rows.items():
        row.hits += int(counted[str(pk).encode()])
    CachedAnswer.objects.bulk_update(rows.values(), ["hits"], batch_size=500)


@database_work
def delete_old(now: datetime) -> int:
    """Delete what nobody can get any more."""
    old = CachedAnswer.objects.filter(pinned=False, expires_at__lt=now - DELETE_AFTER)
    return old.delete()[0]


@database_work
def _read(key: str) -> CachedAnswer | None:
    # The key is unique: `first()` would sort and cut one row, at half the cost again.
    return next(iter(CachedAnswer.objects.filter(normalised=key)), None)


@database_work
def _write(key: str, question: str, answer: str, model_name: str, version: str) -> None:
    """Safe twice and at once: an UPDATE that spares pinned rows, then an INSERT that gives way to
    an equal key.
    """
    expires_at = timezone.now() + KEEP_FOR
    values = {"answer": answer, "model_name": model_name[:100], "knowledge_version": version[:64]}
    unpinned = CachedAnswer.objects.filter(normalised=key, pinned=False)
    if not unpinned.update(**values, expires_at=expires_at, updated_at=timezone.now()):
        row = CachedAnswer(normalised=key, question=question[:500], expires_at=expires_at, **values)
        CachedAnswer.objects.bulk_create([row], ignore_conflicts=True)


def _sweep_now_and_then() -> None:
    try:
        is_due = redis().set(SWEPT_KEY, 1, nx=True, ex=SWEEP_EVERY)
    except REDIS_AWAY:
        return
    if is_due:
        delete_old(timezone.now())
