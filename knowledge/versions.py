"""The version of what we know: every process compares it to learn that the knowledge base was
edited.

It is computed from the rows, so it is the same for all processes and after Redis was emptied, and
kept in Redis with the number of the change it was computed after. A process that read the rows
before an edit can therefore never store its old version over the newer one.
"""

from __future__ import annotations

import contextlib
import hashlib

from django.db import models, transaction
from django.db.models import Count, Max

from common.database_threads import database_work
from common.fresh import Fresh
from common.redis import REDIS_AWAY, pause, paused, redis
from knowledge.models import FAQ, Phrasing, SynonymRule

VERSION_KEY = "knowledge:version"
CHANGES_KEY = "knowledge:changes"
# A process that died between its commit and its announcement is found out after this long.
COMPUTE_ANEW_AFTER = 60
WITHOUT_REDIS_COMPUTE_EVERY = 5.0
MATCHED_MODELS: tuple[type[models.Model], ...] = (FAQ, Phrasing, SynonymRule)


def knowledge_version() -> str:
    if paused():
        return _without_redis.get()
    try:
        changes, stored = (_text(value) for value in redis().mget(CHANGES_KEY, VERSION_KEY))
    except REDIS_AWAY as error:
        pause(error, meanwhile="the version of the knowledge base is computed from its rows")
        return _without_redis.get()
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


def _announce() -> None:
    try:
        redis().incr(CHANGES_KEY)
    except REDIS_AWAY as error:
        seconds = COMPUTE_ANEW_AFTER
        pause(error, meanwhile=f"an edit of the knowledge base is seen within {seconds} s")
    _without_redis.changed()


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


_without_redis = Fresh(
    version_of_rows, of="the knowledge base's version", every=WITHOUT_REDIS_COMPUTE_EVERY
)
