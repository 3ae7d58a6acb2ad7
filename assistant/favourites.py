"""The questions that a new follower is offered: those customers ask most, then the first of the
knowledge base.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from django.db.models import F

from assistant import smalltalk, wishes
from assistant.menu import MOST_CHOICES
from assistant.models import AnswerLog, Source
from common.database_threads import database_work
from common.text import Words
from knowledge.evidence import Evidence
from knowledge.models import FAQ
from knowledge.retrieval import matching

# The newest answers tell what is asked these days, and cost the same however long the log grows.
ANSWERS_LOOKED_AT = 300


@database_work
def favourites() -> tuple[Evidence, ...]:
    in_order = dict.fromkeys(chain(_most_asked(), _first_in_order()))
    known = map(matching.by_id, in_order)
    questions = (one for one in known if one is not None and _is_a_question(one.title))
    return tuple(islice(questions, MOST_CHOICES))


def _most_asked() -> Iterator[int]:
    newest = AnswerLog.objects.order_by("-pk").values_list("source", "faq_id")[:ANSWERS_LOOKED_AT]
    counted = Counter(
        faq_id for source, faq_id in newest if source == Source.FAQ and faq_id is not None
    )
    yield from (faq_id for faq_id, _ in counted.most_common())


def _first_in_order() -> Iterator[int]:
    place = F("category__position").asc(nulls_last=True)
    in_order = FAQ.objects.published().order_by(place, "pk").values_list("pk", flat=True)
    yield from in_order[: 2 * MOST_CHOICES]


def _is_a_question(wording: str) -> bool:
    """An editor may have written an FAQ for "你好" or "转人工"; nobody needs
    to be offered those.
    """
    words = Words(wording)
    return smalltalk.moment_of(words) is None and not wishes.wants_human(words)
