"""The one shared Redis connection pool of this process, with keys as they are (no prefix)."""

from __future__ import annotations

from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import RedisError

# Redis is away: a named tuple of what to catch where the product goes on without it.
REDIS_AWAY = (RedisError, OSError)


def redis() -> Redis:
    return get_redis_connection("default")
