"""`manage.py reset_password NAME`: a new password for who has lost theirs, printed once and kept
nowhere.
"""

from __future__ import annotations

import argparse
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from common.redis import REDIS_AWAY
from wechatbot.generated import random_text
from wechatbot.login import attempts

LENGTH = 16


class Command(BaseCommand):
    help = "Give a user a new generated password, print it, and unlock the user."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="the login, such as admin")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"Nobody is called {options['name']!r}. There are: {_names()}")
        password = random_text(LENGTH)
        user.set_password(password)
        user.save(update_fields=["password"])
        self._unlock(user)
        self.stdout.write(f"The new password of {user.username} is {password}")
        self.stdout.write("All their sessions have ended. Change it after the login.")
        if not user.is_active:
            self.stdout.write("The user is switched off: an administrator must switch it on again.")

    def _unlock(self, user: User) -> None:
        try:
            attempts.unlock(username=user.username)
        except REDIS_AWAY as error:
            self.stderr.write(f"Redis does not answer, failed logins are still counted: {error}")


def _names() -> str:
    staff = User.objects.filter(is_staff=True).order_by("pk")
    return ", ".join(staff.values_list("username", flat=True)[:20]) or "no staff at all"
