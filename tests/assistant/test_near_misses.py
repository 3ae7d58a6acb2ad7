"""A near-miss of an FAQ: the customer chooses, or the model answers, and no stored answer undoes
it.
"""

from __future__ import annotations

import pytest

from assistant.models import Source
from assistant.pipeline import NeedsModel
from common.fresh import forget_all
from common.text import Words
from knowledge import cache
from knowledge.models import FAQ, Phrasing
from knowledge.versions import knowledge_version
from tests.assistant.asking import Ask, NeedsIt
from tests.worlds.model_stub import ModelStub

pytestmark = pytest.mark.usefixtures("no_model_is_configured")

BINDING = ("怎么绑定手机号", "在「设置」里点「绑定手机号」。")
UNBINDING = "怎么解绑手机号"


@pytest.fixture
def binding(shop: dict[str, FAQ]) -> FAQ:
    return FAQ.objects.create(question=BINDING[0], answer=BINDING[1])


def test_without_a_model_the_customer_chooses_from_a_menu(binding: FAQ, ask: Ask) -> None:
    answer = ask(UNBINDING)

    assert (answer.source, answer.offered[0]) == (Source.MENU, binding.pk)
    assert BINDING[1] not in answer.text
    assert ask("1", offered=answer.offered).text == BINDING[1]


def test_who_waits_for_a_person_is_not_given_the_wrong_answer_meanwhile(
    binding: FAQ, ask: Ask
) -> None:
    assert ask(BINDING[0], faq_only=True).text == BINDING[1]
    assert ask(UNBINDING, faq_only=True).text == ""


def test_a_model_reads_the_faq_and_answers(
    binding: FAQ, ask: Ask, surely_needs_model: NeedsIt, model_is_configured: None
) -> None:
    model = ModelStub({"answer": "请联系客服解绑。", "can_answer": True})

    assert surely_needs_model(UNBINDING)
    with pytest.raises(NeedsModel):
        ask(UNBINDING)
    assert ask(UNBINDING, model=model).text == "请联系客服解绑。"
    assert BINDING[1] in model.prompt


def test_an_answer_stored_for_the_known_question_is_not_given_for_its_opposite(
    binding: FAQ, ask: Ask
) -> None:
    cache.keep(
        Words(BINDING[0]), BINDING[1], model_name="fake", knowledge_version=knowledge_version()
    )

    assert ask(UNBINDING).source == Source.MENU


def test_a_stored_answer_is_given_to_its_own_question_only(binding: FAQ, ask: Ask) -> None:
    cache.keep(
        Words("支持 60 天退货吗"),
        "不支持。",
        model_name="fake",
        knowledge_version=knowledge_version(),
    )

    assert ask("支持60天退货吗？").text == "不支持。"
    assert ask("支持 15 天退货吗").source != Source.CACHE


def test_an_editor_who_adds_the_line_is_heard_at_once_and_before_the_cache(
    binding: FAQ, ask: Ask
) -> None:
    cache.keep(
        Words(UNBINDING),
        "请联系客服解绑。",
        model_name="fake",
        knowledge_version=knowledge_version(),
    )
    Phrasing.objects.create(faq=binding, text=UNBINDING)
    forget_all()

    answer = ask(UNBINDING)

    assert (answer.text, answer.source, answer.confidence) == (BINDING[1], Source.FAQ, 1.0)
