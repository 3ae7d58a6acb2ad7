"""`manage.py remove_demo`: take the demo shop out of the database."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand

from wechatbot.demo import removal


class Command(BaseCommand):
    help = (
        "Remove the demo shop: its FAQs and its agents. What somebody changed since is named and "
        "stays."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--changed-too", action="store_true", help="remove what was changed since, too"
        )

    def handle(self, *args: Any, changed_too: bool, **options: Any) -> None:
        demo = removal.find(with_passwords=True)
        changed_goes = changed_too and demo.has_changed_rows
        if not demo.is_there and not changed_goes:
            self.stdout.write("The demo shop is not in this database.")
        else:
            removal.remove(demo, changed_too=changed_too)
            self._name("Removed FAQs", demo.faqs)
            self._name("Removed agents with their logins", demo.agents)
        words = "Removed, although changed since" if changed_too else "Changed since, so it stays"
        self._name(words, [*demo.changed_faqs, *demo.changed_agents])

    def _name(self, title: str, rows: Iterable[object]) -> None:
        named = [str(row) for row in rows]
        if named:
            self.stdout.write(f"{title} ({len(named)}):")
            for name in named:
                self.stdout.write(f"  {name}")
