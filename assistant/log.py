"""How each question was answered, for the editors. A log that cannot be written loses no answer."""

from __future__ import annotations

from django.utils import timezone

from assistant.answers import Answer, Question
from assistant.models import AnswerLog
from common import log_rows
from conversations.replies.wording import in_words
from wechat.replies import without_links


def keep(question: Question, answer: Answer, *, milliseconds: int) -> None:
    log_rows.keep(
        [
            AnswerLog(
                account_id=question.account_id,
                conversation_id=question.conversation_id,
                message_id=question.message_id,
                question=question.text,
                answer=without_links(in_words(answer.said, question.account_id)),
                source=str(answer.source),
                doubt=str(answer.doubt or ""),
                confidence=answer.confidence,
                faq_id=answer.faq_id,
                milliseconds=milliseconds,
                created_at=timezone.now(),
            )
        ]
    )
