"""A model that failed several times in a row rests for a while; all processes know it.

Two keys of Redis that go away by themselves: the count of failures in a row, and a pause. After the
pause one call is let through as a trial (setting the pause again is what wins the trial); its
success closes the breaker. Redis away: closed, as each process would learn too little by itself.

Not pybreaker: it lets everybody through when it tries a model again, which is 200 customers waiting
for a model that hangs, holds its lock while the guarded call runs, and asks Redis several times a
call.
"""

from __future__ import annotations

import logging

from common.redis import REDIS_AWAY, pause, paused, redis
from llm.errors import BreakerOpen

logger = logging.getLogger(__name__)

FAILURES_TO_OPEN = 5
PAUSE_SECONDS = 30.0
_FORGET_AFTER = 600
_MEANWHILE = "breakers count as closed"


class Breaker:
    """The breakers of all models, by their id."""

    def __init__(self, *, failures: int = FAILURES_TO_OPEN, pause: float = PAUSE_SECONDS) -> None:
        self._failures = failures
        self._pause = int(pause * 1000)
        self._seen: dict[int, int] = {}

    def check(self, model_id: int) -> None:
        """Raise BreakerOpen while the model rests."""
        if paused():
            return
        try:
            self._seen[model_id] = int(redis().get(_count_key(model_id)) or 0)
            if self._seen[model_id] >= self._failures and not self._wins_trial(model_id):
                raise BreakerOpen("failed several times in a row, rests")
        except REDIS_AWAY as error:
            pause(error, meanwhile=_MEANWHILE)

    def note_failure(self, model_id: int) -> None:
        if paused():
            return
        try:
            count = self._seen[model_id] = int(redis().incr(_count_key(model_id)))
            redis().expire(_count_key(model_id), _FORGET_AFTER)
            if count >= self._failures:
                redis().set(_pause_key(model_id), 1, px=self._pause)
                logger.warning(
                    "model %s failed %s times in a row and rests for %s ms",
                    model_id,
                    count,
                    self._pause,
                )
        except REDIS_AWAY as error:
            pause(error, meanwhile=_MEANWHILE)

    def note_success(self, model_id: int) -> None:
        if not self._seen.get(model_id) or paused():
            return  # Nothing to forget: the usual case costs nothing.
        try:
            redis().delete(_count_key(model_id), _pause_key(model_id))
            self._seen[model_id] = 0
        except REDIS_AWAY as error:
            pause(error, meanwhile=_MEANWHILE)

    def _wins_trial(self, model_id: int) -> bool:
        return bool(redis().set(_pause_key(model_id), 1, nx=True, px=self._pause))


def _count_key(model_id: int) -> str:
    return f"llm:failures:{model_id}"


def _pause_key(model_id: int) -> str:
    return f"llm:pause:{model_id}"
