"""What an answer rests on, of any kind. A model is shown it; the log keeps which FAQ it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["faq"]


@dataclass(frozen=True)
class Evidence:
    """One piece of what we know, found for a question. For an FAQ `title` is its question and
    `text` its answer.
    """

    kind: Kind
    id: int
    title: str
    text: str
    score: float
