"""What `/readyz` looks at: database, Redis, the heart-beats of the workers, and their clocks."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError, connection

from common import clock
from common.redis import REDIS_AWAY, redis

# Set with a time to live of 15 s by the worker of each queue. Whoever takes `deliver` sweeps too.
HEARTBEATS = {"worker": "heartbeat:reply", "deliver": "heartbeat:deliver"}
# Set beside them where a worker's host has another time than the database.
SKEWS = {"worker": "clock-skew:reply", "deliver": "clock-skew:deliver"}


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


def skewed_clocks() -> dict[str, float]:
    """Whose host is how many seconds ahead of the database's clock (behind it: less than 0), if it
    is worth a word. Leases and due times go by the database's clock, so nothing waits for it; but
    logs and pages show wrong times, and the operator should know.
    """
    ours = clock.notable_skew()
    found = {} if ours is None else {"web": ours}
    try:
        told = redis().mget(SKEWS.values())
    except REDIS_AWAY:
        return found
    workers = zip(SKEWS, told, strict=True)
    return {**found, **{name: float(skew) for name, skew in workers if skew is not None}}
