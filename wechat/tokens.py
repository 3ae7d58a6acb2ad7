"""One access token for all processes, kept in Redis, taken from WeChat by one of them at a time.

`stable_token` gives every caller the same token until five minutes before its end, so that even without Redis, when
each process keeps its own copy, nobody invalidates the token of another. Only a forced refresh does, and it is rare:
20 a day, 30 s apart.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

from redis.lock import Lock

from common.redis import REDIS_AWAY, redis
from wechat.errors import TokenRefused, WeChatError, WeChatUnreachable

logger = logging.getLogger(__name__)

# WeChat gives out a new token from here on; the old one stays valid as long.
RENEW_BEFORE_END = 300
SHORTEST_KEEP = 30
FORCED_APART = 30
# Longer than one call to WeChat may take.
LOCK_SECONDS = 10
# After a failure the threads that waited for the same token do not each run into it.
FAILURE_PAUSE = 2.0


@dataclass(frozen=True)
class Token:
    value: str
    expires_in: int

    @property
    def keep_seconds(self) -> int:
        return max(self.expires_in - RENEW_BEFORE_END, SHORTEST_KEEP)


@dataclass
class _Here:
    """What this process knows of one account's token by itself."""

    lock: threading.Lock
    token: str = ""
    keep_until: float = 0.0
    forced_at: float = float("-inf")
    failure: WeChatError | None = None
    failed_at: float = 0.0


_here: dict[str, _Here] = {}


def forget() -> None:
    """Drop what this process remembers (for tests, and when keys change)."""
    _here.clear()


def drop_token(app_id: str) -> None:
    """The account's keys changed: its token may be another account's, or a failure may be over."""
    _here.pop(app_id, None)
    with suppress(*REDIS_AWAY):
        redis().delete(_token_key(app_id))


def _token_key(app_id: str) -> str:
    return f"wechat:token:{app_id}"


class TokenSource:
    def __init__(self, app_id: str, fetch: Callable[[bool], Token]) -> None:
        """`fetch(force)` asks WeChat."""
        self._app_id = app_id
        self._fetch = fetch
        self._here = _here.setdefault(app_id, _Here(threading.Lock()))

    def current(self) -> str:
        return self._cached() or self._one_at_a_time(refused="")

    def renew(self, refused: str) -> str:
        """A token other than the refused one. The first to come forces WeChat to make one, the others find it."""
        return self._one_at_a_time(refused)

    def _one_at_a_time(self, refused: str) -> str:
        with self._here.lock, self._lock_of_all_processes():
            cached = self._cached()
            if cached and cached != refused:
                return cached
            self._raise_recent_failure()
            if refused and self._was_forced_lately():
                raise TokenRefused(40001, "the token is refused although it was renewed a moment ago")
            return self._take(force=bool(refused))

    def _take(self, force: bool) -> str:
        try:
            token = self._fetch(force)
        except WeChatError as error:
            self._here.failure, self._here.failed_at = error, time.monotonic()
            raise
        logger.info("account %s: took an access token%s", self._app_id, " by force" if force else "")
        self._keep(token)
        if force:
            self._note_forced()
        return token.value

    def _raise_recent_failure(self) -> None:
        failure = self._here.failure
        if failure is not None and time.monotonic() - self._here.failed_at < FAILURE_PAUSE:
            raise type(failure)(failure.code, failure.message, failure.rid)

    @property
    def _forced_key(self) -> str:
        return f"wechat:token:forced:{self._app_id}"

    def _cached(self) -> str:
        try:
            return cast(bytes, redis().get(_token_key(self._app_id)) or b"").decode()
        except REDIS_AWAY:
            return self._here.token if time.monotonic() < self._here.keep_until else ""

    def _keep(self, token: Token) -> None:
        self._here.token, self._here.keep_until = token.value, time.monotonic() + token.keep_seconds
        self._here.failure = None
        with suppress(*REDIS_AWAY):
            redis().set(_token_key(self._app_id), token.value, ex=token.keep_seconds)

    def _note_forced(self) -> None:
        self._here.forced_at = time.monotonic()
        with suppress(*REDIS_AWAY):
            redis().set(self._forced_key, 1, ex=FORCED_APART)

    def _was_forced_lately(self) -> bool:
        try:
            return bool(redis().exists(self._forced_key))
        except REDIS_AWAY:
            return time.monotonic() - self._here.forced_at < FORCED_APART

    @contextmanager
    def _lock_of_all_processes(self) -> Iterator[None]:
        lock = self._acquired()
        try:
            yield
        finally:
            if lock is not None:
                with suppress(*REDIS_AWAY):  # LockError too: it ran out, and is another's now.
                    lock.release()

    def _acquired(self) -> Lock | None:
        """None: Redis is away, and each process is on its own."""
        lock = None
        try:
            lock = redis().lock(f"wechat:token:lock:{self._app_id}", timeout=LOCK_SECONDS, sleep=0.05)
            acquired = lock.acquire(blocking_timeout=LOCK_SECONDS)
        except REDIS_AWAY:
            return None
        if not acquired:
            raise WeChatUnreachable(0, "another process takes too long to get an access token")
        return lock
