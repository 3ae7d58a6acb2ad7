"""What `/readyz` looks at: database, Redis, and the heart-beats of the workers."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, connection

from common.redis import REDIS_AWAY, redis

# Set with a time to live of 15 s by the worker of each queue. Whoever takes `deliver` takes
# `recovery` too.
HEARTBEATS = {"worker": "heartbeat:reply", "deliver": "heartbeat:recovery"}


def missing_parts() -> list[str]:
    return [*_missing_database(), *_missing_redis_or_worker()]


def _missing_database() -> list[str]:
    """A connection of its own for each look: one that was kept would say nothing about new ones."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return ["database"]
    finally:
        connection.close()
    return []


def _missing_redis_or_worker() -> list[str]:
    """The workers tell of themselves through Redis: without Redis nobody can
    say whether they live.
    """
    try:
        beats = redis().mget(HEARTBEATS.values())
    except REDIS_AWAY:
        return ["redis", *HEARTBEATS]
    return [name for name, beat in zip(HEARTBEATS, beats, strict=True) if beat is None]
