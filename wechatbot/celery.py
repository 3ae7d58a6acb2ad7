"""The Celery application: `celery -A wechatbot worker …`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, bootsteps
from celery.beat import EmbeddedService
from celery.signals import celeryd_init
from click import Option

from common import metrics
from wechatbot.supervisor import pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wechatbot.settings")

app = Celery("wechatbot")
# Without this only the thread that imported us would publish to our broker.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["webhook"], related_name="worker")


@celeryd_init.connect
def live_visibly(**kwargs: Any) -> None:
    """Celery tells of its start by a signal only; whoever started us wants to see that we live, and
    what we count.
    """
    pulse.start()
    metrics.start()


class BeatThread(bootsteps.StartStopStep):
    """Beat as a thread of the worker.

    Celery's own `-B` forks a second process: seventy more megabytes, and an orphan when the worker
    is killed.
    """

    label = "Beat thread"
    conditional = True

    def __init__(self, worker: Any, beat_thread: bool = False, **options: Any) -> None:
        self.enabled = beat_thread
        super().__init__(worker, **options)

    def create(self, worker: Any) -> Any:
        return EmbeddedService(worker.app, thread=True)


app.user_options["worker"].add(
    Option(
        ("--beat-thread",), is_flag=True, default=False, help="Run beat as a thread of this worker."
    )
)
app.steps["worker"].add(BeatThread)
