"""`manage.py ask "怎么退货"`: what the assistant would answer, and why. Needs no running server."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from assistant import pipeline
from assistant.answers import Answer, Question
from common.text import Words
from conversations.replies.wording import in_words
from knowledge.retrieval import matching
from knowledge.retrieval.matching import Match
from llm import gateway, models_setup
from wechat import accounts
from wechat.models import OfficialAccount
from wechat.replies import without_links

WAY_OUT = (
    "`manage.py prepare`, or `make run`, makes the tables and the account that the environment "
    "names."
)


class Command(BaseCommand):
    help = (
        "Ask the assistant one question and print its answer, where it came from, and the FAQs "
        "that came close."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("question")
        parser.add_argument(
            "--account", default="", help="the account's slug; the default account if left out"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text = options["question"].strip()
        if not text:
            raise CommandError("There is no question to answer: the text is empty.")
        account = _account(options["account"])
        question = Question(Words(text), account_id=account.pk, session_id="ask")
        answer = pipeline.answer(question, model=gateway.complete)
        words = without_links(in_words(answer.said, account.pk))
        self._print(words, answer, matching.match(question.words))
        if not answer.said:
            raise CommandError(
                f"No answer ({answer.doubt or 'nothing to say'}): a customer would get a person."
            )

    def _print(self, words: str, answer: Answer, match: Match) -> None:
        self.stdout.write(words or "—")
        self.stdout.write("")
        self.stdout.write(f"source      {answer.source.value}")
        confidence = match.confidence if answer.confidence is None else answer.confidence
        self.stdout.write(f"confidence  {confidence:.2f} ({match.band})")
        for found in match.evidence:
            self.stdout.write(f"FAQ {found.id:<7} {found.score:.2f}  {found.title}")
        if not match.evidence:
            self.stdout.write("FAQ         none comes close")


def _account(slug: str) -> OfficialAccount:
    """The account whose words and persona are used. Settings from the environment count as at every
    start.
    """
    try:
        accounts.ensure_from_environment()
        models_setup.ensure_from_environment()
        rows = (
            OfficialAccount.objects.filter(slug=slug)
            if slug
            else OfficialAccount.objects.order_by("-is_default")
        )
        account = rows.first()
    except DatabaseError as error:
        raise CommandError(f"The database is not ready ({error}). {WAY_OUT}") from error
    if account is None:
        known = ", ".join(OfficialAccount.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(
            f"There is no such account: {slug or 'the default one'}. Known: {known}. {WAY_OUT}"
        )
    return account
