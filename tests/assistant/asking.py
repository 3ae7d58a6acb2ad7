"""Asking the assistant, without a message or a conversation around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypedDict, Unpack

from assistant.answers import Answer, Question
from assistant.pipeline import Model, answer
from common.text import Words
from conversations.replies.wording import in_words
from wechat.models import OfficialAccount

# Whether the model must be asked these words.
NeedsIt = Callable[[str], bool]


class Parts(TypedDict, total=False):
    """What a question may have beside its words."""

    history: tuple[str, ...]
    offered: tuple[int, ...]
    tapped: str
    faq_only: bool


@dataclass(frozen=True)
class Given(Answer):
    """An answer, and the words that the customer reads."""

    text: str = ""


@dataclass(frozen=True)
class Ask:
    """A customer of this account asks."""

    account: OfficialAccount

    def __call__(self, text: str, *, model: Model | None = None, **parts: Unpack[Parts]) -> Given:
        question = Question(Words(text), account_id=self.account.pk, session_id="s1", **parts)
        given = answer(question, model=model)
        values = {field.name: getattr(given, field.name) for field in fields(given)}
        return Given(**values, text=in_words(given.said, self.account.pk))
