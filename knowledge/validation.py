"""What must hold for questions and phrasings, so that an exact question has one answer."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from knowledge.models import FAQ, Phrasing
from knowledge.terms import wording


class Wordings:
    """All ways to ask, folded, with the question of the FAQ that each belongs to."""

    def __init__(self, faqs: Iterable[tuple[str, Iterable[str]]]) -> None:
        self._question_of: dict[str, str] = {}
        for question, texts in faqs:
            self.add(question, [question, *texts])

    @classmethod
    def stored(cls, *, but: int = 0) -> Wordings:
        """Those of all FAQs but one (the one being edited)."""
        wordings = cls(
            (question, ())
            for question in FAQ.objects.exclude(pk=but).values_list("question", flat=True)
        )
        for question, text in Phrasing.objects.exclude(faq_id=but).values_list(
            "faq__question", "text"
        ):
            wordings.add(question, [text])
        return wordings

    def add(self, question: str, texts: Iterable[str]) -> None:
        for text in texts:
            self._question_of.setdefault(wording(text), question)

    def check(self, text: str, *, question: str = "") -> None:
        """Refuse a text without words, or one that another FAQ than `question` has."""
        folded = wording(text)
        if not folded:
            raise ValidationError(_("请用文字写出问题，不能只有标点或空格。"))
        taken_by = self._question_of.get(folded)
        if taken_by is not None and wording(taken_by) != wording(question):
            raise ValidationError(
                _("「%(text)s」与已有的 FAQ「%(question)s」重复。")
                % {"text": text, "question": taken_by}
            )
