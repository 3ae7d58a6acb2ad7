"""Leases in Redis: at most so many holders of a name over all processes, and none kept by a dead
one.

A lease is a member of a sorted set whose score is the moment it runs out, by Redis' own clock. It
is short, and one thread per process renews all that the process has in hand, so a killed process
gives its leases back by itself. Redis away: the same bound counts for this process alone, and what
it took meanwhile is entered when Redis is back.
"""

from __future__ import annotations

import threading
import time
import uuid

from common.redis import REDIS_AWAY, pause, paused, redis

_MEANWHILE = "leases are counted in this process alone"
_NOW = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
_ACQUIRE = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
)
_RENEW = (
    _NOW
    + """
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)


class Leases:
    """All leases of this process. A dead process' leases are free again after `seconds`."""

    def __init__(self, *, seconds: float = 20.0) -> None:
        self._milliseconds = int(seconds * 1000)
        self._held: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self._renewer: threading.Thread | None = None

    def acquire(self, name: str, limit: int) -> str | None:
        """A new lease on `name`, or None when `limit` are out."""
        lease = uuid.uuid4().hex
        try:
            won = self._acquire_in_redis(name, limit, lease)
        except REDIS_AWAY as error:
            pause(error, meanwhile=_MEANWHILE)
            won = None
        if won is False:
            return None
        with self._lock:
            held = self._held.setdefault(name, set())
            if won is None and len(held) >= limit:
                return None
            held.add(lease)
            self._start_renewing()
        return lease

    def release(self, name: str, lease: str) -> None:
        with self._lock:
            self._held[name].discard(lease)
            if not self._held[name]:
                del self._held[name]
        if paused():
            return  # Nobody renews it any more, so it runs out.
        try:
            redis().zrem(name, lease)
        except REDIS_AWAY as error:
            pause(error, meanwhile=_MEANWHILE)

    def renew(self) -> None:
        """Push the end of all leases in hand away. What Redis has lost is entered anew: it is in
        use all the same.
        """
        with self._lock:
            held = {name: list(leases) for name, leases in self._held.items()}
        for name, leases in held.items():
            redis().eval(_RENEW, 1, name, self._milliseconds, *leases)
            with self._lock:
                given_back = set(leases) - self._held.get(name, set())
            if given_back:  # Between our look and the renewal, which brought them to life again.
                redis().zrem(name, *given_back)

    def _acquire_in_redis(self, name: str, limit: int, lease: str) -> bool | None:
        if paused():
            return None
        return bool(
            redis().register_script(_ACQUIRE)(keys=[name], args=[limit, self._milliseconds, lease])
        )

    def _start_renewing(self) -> None:
        if self._renewer is None or not self._renewer.is_alive():
            self._renewer = threading.Thread(
                target=self._renew_until_idle, name="leases", daemon=True
            )
            self._renewer.start()

    def _renew_until_idle(self) -> None:
        while True:
            time.sleep(self._milliseconds / 4000)
            with self._lock:
                if not self._held:
                    self._renewer = None
                    return
            try:
                self.renew()
            except REDIS_AWAY as error:
                pause(error, meanwhile=_MEANWHILE)
