"""`manage.py unlock`: forget failed logins, so that who was locked out may try again at once."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.redis import REDIS_AWAY
from wechatbot.login import attempts


class Command(BaseCommand):
    help = "Forget failed logins of a user, of an address, or all of them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--user", default="", help="from wherever this name was tried")
        whom.add_argument("--address", default="", help="whoever was tried from this address")
        whom.add_argument("--all", action="store_true", help="everybody, everywhere")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["user"] or options["address"] or options["all"]):
            raise CommandError("An empty name is nobody; --all forgets everybody.")
        try:
            count = attempts.unlock(username=options["user"], address=options["address"])
        except REDIS_AWAY as error:
            raise CommandError(f"Redis does not answer: {error}") from None
        self.stdout.write(f"Forgot {count} counters of failed logins.")
