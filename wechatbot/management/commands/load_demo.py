"""`manage.py load_demo`: a shop to try everything on, only into an empty database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from wechatbot.demo import shop


class Command(BaseCommand):
    help = "Load a small demo shop (FAQs, an administrator, two agents) into an empty database."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = shop.load()
        except shop.NotEmpty:
            raise CommandError(
                "The database holds FAQs or users already: the demo shop was not loaded."
            ) from None
        except shop.RealAccount:
            raise CommandError(
                "A real account is connected: the demo shop was not loaded. Its customers would "
                "get made-up answers."
            ) from None
        self.stdout.write(f"Demo shop loaded: {loaded.faqs} FAQs, {len(loaded.logins)} logins:")
        for login in loaded.logins:
            self.stdout.write(f"  {login.in_words}")
