"""The version of what we know: every process compares it to learn that the knowledge base was
edited.

It is computed from the rows, so it is the same for all processes and after Redis was emptied, and
kept in Redis with the number of the change it was computed after. A process that read the rows
before an edit can therefore never store its old version over the newer one.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from dataclasses import dataclass
from time import monotonic

from django.db import models, transaction
from django.db.models import Count, Max

from common.database_threads import database_work
from common.redis import REDIS_AWAY, redis
from knowledge.models import FAQ, Phrasing, SynonymRule

logger = logging.getLogger(__name__)

VERSION_KEY = "knowledge:version"
CHANGES_KEY = "knowledge:changes"
# A process that died between its commit and its announcement is found out after this long.
COMPUTE_ANEW_AFTER = 60
WITHOUT_REDIS_COMPUTE_EVERY = 5.0
MATCHED_MODELS: tuple[type[models.Model], ...] = (FAQ, Phrasing, SynonymRule)


@dataclass
class _WithoutRedis:
    """What this process goes by while Redis is away."""

    version: str = ""
    until: float = 0.0


_without_redis = _WithoutRedis()


def knowledge_version() -> str:
    if monotonic() < _without_redis.until:
        return _without_redis.version
    try:
        changes, stored = (_text(value) for value in redis().mget(CHANGES_KEY, VERSION_KEY))
    except REDIS_AWAY:
        return _version_without_redis()
    after, _, version = stored.rpartition(":")
    if version and after == changes:
        return version
    version = version_of_rows()
    # The next reader computes it once more, nothing else is lost.
    with contextlib.suppress(*REDIS_AWAY):
        redis().set(VERSION_KEY, f"{changes}:{version}", ex=COMPUTE_ANEW_AFTER)
    return version


def knowledge_changed() -> None:
    """Tell all processes, once the running transaction is committed."""
    transaction.on_commit(_announce)


@database_work
def version_of_rows() -> str:
    facts = " ".join(described(model) for model in MATCHED_MODELS)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def described(model: type[models.Model]) -> str:
    """What changes with every edit of the model's rows."""
    facts = model._default_manager.aggregate(
        rows=Count("pk"), last=Max("pk"), newest=Max("updated_at")
    )
    newest = facts["newest"].timestamp() if facts["newest"] else ""
    return f"{facts['rows']}/{facts['last']}/{newest}"


def forget() -> None:
    """Ask Redis again at once (for tests that take it away and bring it back)."""
    _without_redis.until = 0.0


def _announce() -> None:
    try:
        redis().incr(CHANGES_KEY)
    except REDIS_AWAY:
        logger.warning(
            "Redis is away: the edit of the knowledge base is seen within %s s", COMPUTE_ANEW_AFTER
        )
    forget()


def _version_without_redis() -> str:
    _without_redis.version = version_of_rows()
    _without_redis.until = monotonic() + WITHOUT_REDIS_COMPUTE_EVERY
    return _without_redis.version


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
