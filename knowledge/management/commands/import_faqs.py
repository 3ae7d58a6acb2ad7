"""Write the FAQs of a CSV file, if none of its rows is wrong."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from knowledge.exchange import csv_file
from knowledge.exchange.faqs import ImportRefused, import_rows
from knowledge.exchange.import_writing import KnowledgeMoved


class Command(BaseCommand):
    help = (
        "Read FAQs from a CSV file (category, question, answer, phrasings, enabled). A wrong row "
        "keeps all out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            csv_file.check_size(file.stat().st_size)
            result = import_rows(csv_file.decode(file.read_bytes()))
        except OSError as error:
            raise CommandError(
                _("无法读取 %(file)s：%(error)s") % {"file": file, "error": error.strerror}
            ) from error
        except (csv_file.FileRefused, ImportRefused) as error:
            raise CommandError(_("没有写入任何 FAQ。\n%(errors)s") % {"errors": error}) from error
        except KnowledgeMoved as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _("新增 %(new)d 条，更新 %(updated)d 条，未变 %(unchanged)d 条。")
            % {"new": result.new, "updated": result.updated, "unchanged": result.unchanged}
        )
