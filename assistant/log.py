"""How each question was answered, for the editors. A log that cannot be written loses no answer."""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction

from assistant.answers import Answer, Question
from assistant.models import AnswerLog
from assistant.plain_text import without_links
from common.database_threads import database_work

logger = logging.getLogger(__name__)


def keep(question: Question, answer: Answer, *, milliseconds: int) -> None:
    try:
        _write(question, answer, milliseconds)
    except DatabaseError as error:
        logger.warning("answer of session %s is not in the log: %s", question.session_id, error)


@database_work
def _write(question: Question, answer: Answer, milliseconds: int) -> None:
    # A transaction of its own: a caller's stays usable when this one fails.
    with transaction.atomic():
        AnswerLog.objects.create(
            session_id=question.session_id,
            question=question.text,
            answer=without_links(answer.text),
            source=answer.source,
            doubt=answer.doubt or "",
            confidence=answer.confidence,
            faq_id=answer.faq_id,
            milliseconds=milliseconds,
        )
