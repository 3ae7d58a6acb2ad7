"""Delete what is older than it is kept, as it also happens every night."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from wechatbot import retention


class Command(BaseCommand):
    help = (
        "Delete rows older than KEEP_…_DAYS say, in small steps; safe to stop and to start again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        deleted = retention.delete_old()
        for name, count in deleted.items():
            self.stdout.write(f"{name}: {count}")
        if not deleted:
            self.stdout.write("Another process is deleting old rows.")
