"""One access token for all processes, kept in Redis, taken from WeChat by one of them at a time.

`stable_token` gives every caller the same token until five minutes before its end, so that even
without Redis, when each process keeps its own copy, nobody invalidates the token of another. Only a
forced refresh does, and it is rare: 20 a day, 30 s apart. So a refused token is first asked for in
the ordinary way: our copy may only be old.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

from django.utils import timezone
from redis.lock import Lock

from common.redis import REDIS_AWAY, redis
from wechat.errors import TokenRefused, TokenTooSoon, WeChatError, WeChatUnreachable

logger = logging.getLogger(__name__)

# WeChat gives out a new token from here on; the old one stays valid as long.
RENEW_BEFORE_END = 300
SHORTEST_KEEP = 30
FORCED_APART = 30
FORCED_A_DAY = 20
COUNT_KEPT = 2 * 24 * 3600
# Longer than two calls to WeChat may take, an ordinary one and a forced one.
LOCK_SECONDS = 16
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
        return self.known() or self._one_at_a_time(refused="")

    def renew(self, refused: str) -> str:
        """A token other than the refused one. The first to come gets it from WeChat, the others
        find it.
        """
        return self._one_at_a_time(refused)

    def _one_at_a_time(self, refused: str) -> str:
        with self._here.lock, self._lock_of_all_processes():
            cached = self.known()
            if cached and cached != refused:
                return cached
            self._raise_recent_failure()
            token = self._ask(force=False)
            if token.value == refused:
                self._reserve_forced()
                token = self._ask(force=True)
                self._note_forced()
            self._keep(token)
            return token.value

    def _ask(self, *, force: bool) -> Token:
        try:
            token = self._fetch(force)
        except WeChatError as error:
            self._here.failure, self._here.failed_at = error, time.monotonic()
            raise
        logger.info(
            "account %s: took an access token%s", self._app_id, " by force" if force else ""
        )
        return token

    def _reserve_forced(self) -> None:
        """Raises when no forced call may be made now. Counted before the call: one without an
        answer may have been.
        """
        wait_seconds = self._forced_free_in()
        if wait_seconds > 0:
            message = "the token is refused although it was renewed a moment ago"
            raise TokenTooSoon(40001, message, wait_seconds=wait_seconds)
        try:
            count = redis().incr(self._count_key)
            redis().expire(self._count_key, COUNT_KEPT)
        except REDIS_AWAY:
            count = 0
        if count > FORCED_A_DAY:
            raise TokenRefused(
                40001,
                f"the token is refused, and the day's {FORCED_A_DAY} forced refreshes are used up",
            )
        self._note_forced()

    def _raise_recent_failure(self) -> None:
        failure = self._here.failure
        if failure is not None and time.monotonic() - self._here.failed_at < FAILURE_PAUSE:
            raise type(failure)(failure.code, failure.message, failure.rid)

    @property
    def _forced_key(self) -> str:
        return f"wechat:token:forced:{self._app_id}"

    @property
    def _count_key(self) -> str:
        return f"wechat:token:forced:{self._app_id}:{timezone.localdate():%Y%m%d}"

    def known(self) -> str:
        """Without asking WeChat; "" when there is none."""
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

    def _forced_free_in(self) -> float:
        """Seconds until the next forced call may be made; 0 or less: now."""
        try:
            return redis().pttl(self._forced_key) / 1000
        except REDIS_AWAY:
            return self._here.forced_at + FORCED_APART - time.monotonic()

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
            lock = redis().lock(
                f"wechat:token:lock:{self._app_id}", timeout=LOCK_SECONDS, sleep=0.05
            )
            acquired = lock.acquire(blocking_timeout=LOCK_SECONDS)
        except REDIS_AWAY:
            return None
        if not acquired:
            raise WeChatUnreachable(0, "another process takes too long to get an access token")
        return lock
