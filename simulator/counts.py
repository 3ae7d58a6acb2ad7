"""How often each API was called today. In Redis, where a loss is only a wrong figure."""

from __future__ import annotations

import logging

from django.utils import timezone

from common.redis import REDIS_AWAY, redis

log = logging.getLogger(__name__)


def count_call(path: str) -> None:
    try:
        pipeline = redis().pipeline()
        pipeline.incr(_key(path))
        pipeline.expire(_key(path), 2 * 86_400)
        pipeline.execute()
    except REDIS_AWAY as error:
        log.debug("Redis is away, a call is not counted: %s", error)


def calls_today(path: str) -> int:
    try:
        return int(redis().get(_key(path)) or 0)
    except REDIS_AWAY:
        return 0


def _key(path: str) -> str:
    return f"simulator:calls:{timezone.localdate():%Y%m%d}:{path}"
