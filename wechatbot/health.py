"""`/healthz`: this process is alive. `/readyz`: it can do its work, and if not, what is missing."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from common.redis import REDIS_AWAY, redis

# Set with a time to live of 15 s by the worker of each queue. Whoever takes `deliver` takes `recovery` too.
HEARTBEATS = {"worker": "heartbeat:reply", "deliver": "heartbeat:recovery"}


class WithoutReadiness(logging.Filter):
    """Django logs every 503 as an error; whoever asks `/readyz` every second knows already."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        return getattr(request, "path", None) != "/readyz"


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "alive"})


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    missing = [*_missing_database(), *_missing_redis_or_worker()]
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ready", "missing": []})


def _missing_database() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return ["database"]
    return []


def _missing_redis_or_worker() -> list[str]:
    """The workers tell of themselves through Redis: without Redis nobody can say whether they live."""
    try:
        beats = redis().mget(HEARTBEATS.values())
    except REDIS_AWAY:
        return ["redis", *HEARTBEATS]
    return [name for name, beat in zip(HEARTBEATS, beats, strict=True) if beat is None]
