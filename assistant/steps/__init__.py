"""Finding an answer, step by step: the first step that has one gives it.

A new step is a module with a STEP, and its place in this list.
"""

from __future__ import annotations

from assistant.steps import (
    blocked_words,
    cached_answer,
    faq,
    language_model,
    menu_of_faqs,
    number_alone,
    small_talk,
    wish_for_a_person,
)
from assistant.steps.step import Step

__all__ = ["STEPS", "Step"]

STEPS: tuple[Step, ...] = (
    blocked_words.STEP,
    wish_for_a_person.STEP,
    faq.STEP,
    small_talk.STEP,
    number_alone.STEP,
    cached_answer.STEP,
    language_model.STEP,
    menu_of_faqs.STEP,
)
