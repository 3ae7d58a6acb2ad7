"""Which agents are there: a page of the desk is open, or they did something in the last five
minutes.

Customers are promised a person only while one is there. Each open page and each agent's last action
is a member of one sorted set in Redis, whose score is the moment it stops to count, by Redis' own
clock. While Redis is away nobody is there, so nobody is promised.
"""

from __future__ import annotations

import logging
import re

from common.redis import REDIS_AWAY, redis

logger = logging.getLogger(__name__)

KEY = "agents:there"
# A page tells every 25 s that it is open, a hidden one as seldom as its browser likes: once a
# minute.
PAGE_SECONDS = 100
ACTION_SECONDS = 5 * 60
PAGE_NAME = re.compile(r"[0-9a-z]{8,40}")

_NOW = "local t = redis.call('TIME') local now = t[1] + t[2] / 1000000 "
_NOTE = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
)
_LOOK = _NOW + "return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')"


def page_is_open(agent_id: int, page: str) -> None:
    _note(f"{agent_id}:{page}", PAGE_SECONDS)


def page_was_closed(agent_id: int, page: str) -> None:
    try:
        redis().zrem(KEY, f"{agent_id}:{page}")
    except REDIS_AWAY as error:
        logger.info("a closed page counts for %d s more: %s", PAGE_SECONDS, error)


def agent_did_something(agent_id: int) -> None:
    _note(f"{agent_id}:", ACTION_SECONDS)


def agents_there() -> frozenset[int]:
    """The ids of all agents who are there now."""
    try:
        members = redis().eval(_LOOK, 1, KEY)
    except REDIS_AWAY as error:
        logger.warning("nobody is promised a person, who is there is unknown: %s", error)
        return frozenset()
    return frozenset(int(member.partition(b":")[0]) for member in members)


def _note(member: str, seconds: int) -> None:
    try:
        redis().eval(_NOTE, 1, KEY, seconds, member, ACTION_SECONDS)
    except REDIS_AWAY as error:
        logger.info("an agent who is there cannot be noted: %s", error)
