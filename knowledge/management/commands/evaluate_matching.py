"""Measure matching on a set of real questions, without database or Redis."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from knowledge.retrieval import evaluation
from knowledge.retrieval.lexical.confidence import ANSWER_AT


class Command(BaseCommand):
    help = (
        "Measure matching with real questions: the threshold is chosen on dev, the result reported "
        "on test."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--kb", type=Path, required=True, help='{"id", "question", "aliases"} (JSON lines)'
        )
        parser.add_argument(
            "--queries", type=Path, required=True, help='{"text", "expected", "split"} (JSON lines)'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            entries = evaluation.read_entries(options["kb"])
            report = evaluation.evaluate(entries, evaluation.read_questions(options["queries"]))
        except evaluation.UnreadableSet as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _(
                "问题 %(questions)d 条（test），其中知识库能回答 %(answerable)d 条，FAQ "
                "%(entries)d 条"
            )
            % {
                "questions": report.questions,
                "answerable": report.answerable,
                "entries": len(entries),
            }
        )
        self.stdout.write(f"R@1  {report.recall_at_1:.1%}")
        self.stdout.write(f"R@3  {report.recall_at_3:.1%}")
        self.stdout.write(
            _(
                "90%% 准确率下直接回答的比例  %(share)s（阈值 %(threshold).2f 选自 dev，test "
                "准确率 %(precision)s）"
            )
            % {
                "share": f"{report.answered_share:.1%}",
                "threshold": report.threshold,
                "precision": f"{report.precision:.1%}",
            }
        )
        self.stdout.write(
            _(
                "置信度达到 %(border).2f 即直接回答：答对 %(right)s（占能回答的问题），准确率 "
                "%(precision)s"
            )
            % {
                "border": ANSWER_AT,
                "right": f"{report.shipped_right:.1%}",
                "precision": f"{report.shipped_precision:.1%}",
            }
        )
