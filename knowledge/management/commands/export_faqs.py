"""Write all FAQs into a CSV file that Excel opens and `import_faqs` reads."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from knowledge.exchange.faqs import export_text


class Command(BaseCommand):
    help = "Write all FAQs into a CSV file (- for standard output)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        text = export_text()
        if file == "-":
            self.stdout.write(text, ending="")
            return
        try:
            Path(file).write_bytes(text.encode())
        except OSError as error:
            raise CommandError(
                _("无法写入 %(file)s：%(error)s") % {"file": file, "error": error.strerror}
            ) from error
