"""What every start does before it serves: tables, and the rows that the environment describes."""

from __future__ import annotations

import argparse
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from llm import models_setup
from wechat import accounts
from wechatbot.demo import removal, shop


class Command(BaseCommand):
    help = "Migrate the database and refresh the account and the models that the environment names."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="load the demo shop into an empty database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verbosity"]:
            self.stdout.write("Bringing the database up to date")
        call_command("migrate", verbosity=options["verbosity"] - 1, interactive=False)
        accounts.ensure_from_environment()
        models_setup.ensure_from_environment()
        if options["demo"]:
            self._load_demo()
        self._warn_of_demo()

    def _load_demo(self) -> None:
        """The demo shop into an empty database; beside a real account the first login alone."""
        if not shop.has_real_account():
            if shop.is_empty():
                call_command("load_demo", stdout=self.stdout)
            return
        self.stdout.write("The demo shop is not loaded: a real account is connected.")
        if not User.objects.exists():
            self.stdout.write(f"The first login:\n  {shop.make_admin().in_words}")

    def _warn_of_demo(self) -> None:
        if not shop.has_real_account():
            return
        found = removal.find()
        if found.is_there:
            self.stderr.write(
                f"This database holds the demo shop ({len(found.faqs)} FAQs, {len(found.agents)} "
                "agents), and real "
                "customers get its made-up answers. Remove it: manage.py remove_demo, or on the "
                "admin's front page."
            )
