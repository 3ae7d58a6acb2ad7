"""What every start does before it serves: tables, and the rows that the environment describes."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from llm import models_setup
from wechat import accounts
from wechatbot.demo import shop


class Command(BaseCommand):
    help = "Migrate the database and refresh the account and the models that the environment names."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo shop into an empty database")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verbosity"]:
            self.stdout.write("Bringing the database up to date")
        call_command("migrate", verbosity=options["verbosity"] - 1, interactive=False)
        accounts.ensure_from_environment()
        models_setup.ensure_from_environment()
        if options["demo"] and shop.is_empty():
            call_command("load_demo")
