"""What goes into the assistant and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from assistant.models import Source
from common.text import Words
from conversations.saying import Saying
from knowledge.evidence import Evidence
from llm.turns import ChatTurn, Completion, Tool


class Model(Protocol):
    """`llm.gateway.complete`, or a fake of it."""

    def __call__(
        self, turns: Sequence[ChatTurn], *, session_id: str, key: str, tools: Sequence[Tool] = ()
    ) -> Completion: ...


class Doubt(StrEnum):
    """Why the assistant would rather have a person answer. The values are those of a ticket's
    reason.
    """

    CUSTOMER_ASKED = "customer_asked"
    NOTHING_MATCHED = "nothing_matched"
    MODEL_UNSURE = "model_unsure"
    MODEL_DOWN = "model_down"
    MODEL_BUSY = "model_busy"


def message_key(message_id: int) -> str:
    """By which a model's calls are found that were made for this message."""
    return f"message:{message_id}"


@dataclass(frozen=True)
class Question:
    """`history` alternates question, answer; `offered` are the FAQ ids of the session's last menu,
    in its order.

    `tapped` is the id of the link that sent the words, where a link did.

    `session_id` is what a model's provider sees of the conversation; `conversation_id` and
    `message_id` are for our own logs, and None where nobody wrote (a question of the shell).

    `faq_only`: the customer waits for a person, so only sure answers of the knowledge base are
    given.

    `model` is the one that may be asked, if one is at hand.
    """

    words: Words
    account_id: int
    session_id: str
    conversation_id: int | None = None
    message_id: int | None = None
    history: tuple[str, ...] = ()
    offered: tuple[int, ...] = ()
    tapped: str = ""
    faq_only: bool = False
    model: Model | None = None

    @property
    def text(self) -> str:
        return self.words.text

    @property
    def key(self) -> str:
        """What a model's call for this question is for."""
        return "" if self.message_id is None else message_key(self.message_id)


@dataclass(frozen=True)
class Answer:
    """Nothing said and a doubt: a person must help. Nothing said and no doubt: there is nothing to
    say. A text is somebody's words as they are, a saying the account's own for a moment.

    `evidence` is what the answer rests on: the FAQ whose words it gives, or all that the model was
    shown.
    """

    said: str | Saying
    source: Source
    doubt: Doubt | None = None
    offered: tuple[int, ...] = ()
    confidence: float | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def faq_id(self) -> int | None:
        """The FAQ whose own words were found. What a model wrote are its own."""
        if self.source == Source.MODEL:
            return None
        return next((one.id for one in self.evidence if one.kind == "faq"), None)


NOTHING_TO_SAY = Answer("", Source.NONE)


class NeedsModel(Exception):
    """Only a language model can answer this question, and the caller has none at hand."""
