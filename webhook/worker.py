"""What a worker process does beside its tasks: database threads, leases renewed, a heart-beat for
`/readyz`, and the sweep where texts are delivered.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.signals import celeryd_after_setup
from django.db import DatabaseError, InterfaceError, connection

from common import clock, database_threads, garbage, log_rows
from common.background import repeat_for_ever
from common.redis import REDIS_AWAY, redis
from conversations.turns import leases
from webhook import sweep

logger = logging.getLogger(__name__)

DATABASE_THREADS = 4
HEARTBEAT_SECONDS = 15
# Where a clock that differs from the database's is named, for as long as it does.
SKEW_KEY = "clock-skew:{queue}"
REPLY_QUEUE, DELIVER_QUEUE = "reply", "deliver"


@celeryd_after_setup.connect
def start(sender: str, instance: Any, **kwargs: Any) -> None:
    """Celery tells of its start by a signal only."""
    clock.start()
    database_threads.start(DATABASE_THREADS)
    log_rows.start()
    queues = tuple(instance.app.amqp.queues.consume_from)
    if DELIVER_QUEUE in queues:
        sweep.start()
    garbage.keep_what_is_loaded()
    repeat_for_ever("heart-beat", lambda: beat_and_rest(queues))


def beat_and_rest(queues: tuple[str, ...]) -> None:
    beat(queues)
    time.sleep(leases.RENEW_SECONDS)


def beat(queues: tuple[str, ...]) -> None:
    """One UPDATE for all leases in hand, one key for each queue that is served. Neither may end the
    thread.
    """
    skew = clock.notable_skew()
    try:
        leases.renew_all()
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        logger.warning("leases could not be renewed: %s", error)
    try:
        for queue in queues:
            redis().set(f"heartbeat:{queue}", int(time.time()), ex=HEARTBEAT_SECONDS)
            if skew is not None:
                redis().set(SKEW_KEY.format(queue=queue), skew, ex=HEARTBEAT_SECONDS)
    except REDIS_AWAY as error:
        logger.warning("no heart-beat while Redis is away: %s", error)
