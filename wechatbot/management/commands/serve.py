"""`manage.py serve`: everything that the product needs, on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from wechatbot.supervisor import start


class Command(BaseCommand):
    help = (
        "Start a private Redis (unless REDIS_URL is set), web and workers, and keep them running."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to bind (default: 127.0.0.1)"
        )
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="port to bind (default: PORT or 8000)"
        )
        parser.add_argument(
            "--demo", action="store_true", help="load the demo shop into an empty database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = str(options["host"]), int(options["port"])
        start.with_matching_settings(host, port)
        start.settle_down()
        try:
            start.hold_the_only_place()
            start.check_port(host, port)
            plan = start.make_plan(host, port)
        except start.CannotStart as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.stdout.write(f"Starting on http://{host}:{port} …")
            self.stdout.flush()
        preparation = _prepare_beside_us(demo=options["demo"])
        os.execv(
            sys.executable,
            [sys.executable, "-m", "wechatbot.supervisor", str(preparation), plan.as_json()],
        )


def _prepare_beside_us(*, demo: bool) -> int:
    """A copy of this process migrates and ends, while this one turns into the supervisor and starts
    Redis.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    start.die_with_parent(parent)
    try:
        start.wait_for_redis()
        call_command("prepare", demo=demo, verbosity=1)
    except start.CannotStart as error:
        sys.stderr.write(f"{error}\n")
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
