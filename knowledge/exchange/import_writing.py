"""Writes the checked rows of an import in slices, so that a customer's message never waits for a
whole file.

A slice is one short transaction. SQLite has one writer at a time, and those who wait for it only
ask now and then: the pause between two slices lets the intake in. Announced once, at the end: each
announcement builds every index anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.utils.translation import gettext as _

from knowledge.models import FAQ, Category, Phrasing
from knowledge.versions import described, knowledge_changed

SLICE_ROWS = 100
# An FAQ and each of its phrasings, old or new. One FAQ alone may have more.
SLICE_LINES = 1000
# SQLite's waiting writers ask again after 0.1 s at the latest.
SHORTEST_PAUSE_SECONDS = 0.1


class KnowledgeMoved(RuntimeError):
    """Somebody edited FAQs after the rows were checked. Whoever reads it imports the file once
    more.
    """

    def __init__(self, written: int) -> None:
        if written:
            text = _(
                "导入中知识库有变动：前 %(count)d 条已写入，其余没有写入，请重新上传同一文件。"
            )
        else:
            text = _("知识库刚刚有变动，导入没有进行，请重新上传文件。")
        super().__init__(text % {"count": written})


def state_of_faqs() -> str:
    """Changes with every edit of an FAQ or of a phrasing."""
    return f"{described(FAQ)} {described(Phrasing)}"


def write_in_slices(faqs: Sequence[FAQ], *, checked_against: str) -> None:
    """Write FAQs that were checked against that state. Raises KnowledgeMoved where it is no longer
    the state.
    """
    state = checked_against
    written = 0
    try:
        while written < len(faqs):
            began = time.monotonic()
            part = _slice_of(faqs[written : written + SLICE_ROWS])
            state = _write_slice(part, state, written)
            written += len(part)
            if written < len(faqs):
                pause_after(time.monotonic() - began)
    finally:
        if written:
            knowledge_changed()


def _slice_of(faqs: Sequence[FAQ]) -> Sequence[FAQ]:
    """The first of them, as many as one short transaction can write."""
    lines = 0
    for place, faq in enumerate(faqs):
        lines += (
            1 + len(stored_phrasings(faq)) + len(getattr(faq, "imported_phrasings", None) or ())
        )
        if place and lines > SLICE_LINES:
            return faqs[:place]
    return faqs


def pause_after(seconds: float) -> None:
    """Leave a database with one writer to others for as long as it was ours."""
    if connection.vendor == "sqlite":
        time.sleep(max(SHORTEST_PAUSE_SECONDS, seconds))


def _write_slice(faqs: Sequence[FAQ], expected: str, written: int) -> str:
    with transaction.atomic():
        if state_of_faqs() != expected:
            raise KnowledgeMoved(written)
        rephrased = [faq for faq in faqs if _has_new_phrasings(faq)]
        for faq in faqs:
            _write_category(faq)
            faq.save()
        _write_phrasings(rephrased)
        return state_of_faqs()


def _write_category(faq: FAQ) -> None:
    """The preview only imagined a category that is new; the rows of the file share one object."""
    category = faq.category
    if category is None:
        return
    if category.pk is None:
        category.pk = Category.objects.get_or_create(name=category.name)[0].pk
    faq.category = category


def _has_new_phrasings(faq: FAQ) -> bool:
    texts = getattr(faq, "imported_phrasings", None)
    return texts is not None and texts != stored_phrasings(faq)


def note_phrasings(faqs: Iterable[FAQ]) -> None:
    """Keep them as a plain value: a copy of an FAQ, which is compared with it, would read its
    phrasings again.
    """
    for faq in faqs:
        faq.__dict__["noted_phrasings"] = stored_phrasings(faq)


def stored_phrasings(faq: FAQ) -> tuple[str, ...]:
    if faq.pk is None:
        return ()
    noted = faq.__dict__.get("noted_phrasings")
    return tuple(phrasing.text for phrasing in faq.phrasings.all()) if noted is None else noted


def _write_phrasings(faqs: Sequence[FAQ]) -> None:
    Phrasing.objects.filter(faq__in=faqs).delete()
    rows: list[Phrasing] = []
    for faq in faqs:
        texts = faq.__dict__["imported_phrasings"]
        rows.extend(Phrasing(faq=faq, text=text) for text in texts)
    Phrasing.objects.bulk_create(rows)
