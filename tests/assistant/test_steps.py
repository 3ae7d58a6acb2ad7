"""The list of steps: what each of them declares about itself holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant import pipeline
from assistant.answers import NOTHING_TO_SAY, Answer, Question
from assistant.models import BlockedTerm, Direction, Source
from assistant.steps import STEPS, Step, language_model
from common.text import Words
from knowledge.models import FAQ
from tests.assistant.asking import Ask, NeedsIt
from tests.faqs import RETURNS
from tests.worlds.model_stub import ModelStub

pytestmark = pytest.mark.usefixtures("no_model_is_configured")

QUESTION = Question(Words("一句话"), account_id=0, session_id="s")


def saying(text: str, *, while_waiting: bool = False, is_screened: bool = True) -> Step:
    def answer(question: Question) -> Answer:
        return Answer(text, Source.SYSTEM)

    return Step(answer, while_waiting=while_waiting, is_screened=is_screened)


def silent(question: Question) -> Answer | None:
    return None


def asked(monkeypatch: pytest.MonkeyPatch, *steps: Step, faq_only: bool = False) -> Answer:
    monkeypatch.setattr(pipeline, "STEPS", steps)
    return pipeline.answer(replace(QUESTION, faq_only=faq_only), model=None)


@pytest.mark.django_db
def test_the_first_that_has_an_answer_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(monkeypatch, Step(silent), saying("一"), saying("二"))
    assert found.said == "一"


@pytest.mark.django_db
def test_who_waits_for_a_person_hears_only_steps_that_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = saying("一"), saying("二", while_waiting=True)
    assert asked(monkeypatch, *steps, faq_only=True).said == "二"
    assert asked(monkeypatch, steps[0], faq_only=True) == NOTHING_TO_SAY


@pytest.mark.django_db
def test_the_words_of_a_step_are_screened_unless_they_are_our_own(
    shop: dict[str, FAQ], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    BlockedTerm.objects.create(term="竞品", direction=Direction.OUT)
    monkeypatch.setattr(pipeline, "STEPS", (saying("竞品"),))
    assert ask("一句话").source == Source.BLOCKED
    monkeypatch.setattr(pipeline, "STEPS", (saying("竞品", is_screened=False),))
    assert ask("一句话").text == "竞品"


@pytest.mark.parametrize("text", [RETURNS[0], "转人工", "你好", "？？？", "9", "第一个"])
def test_what_a_step_before_the_model_may_answer_does_not_surely_need_one(
    shop: dict[str, FAQ], surely_needs_model: NeedsIt, model_is_configured: None, text: str
) -> None:
    assert not surely_needs_model(text)


def test_only_the_model_raises_that_it_is_needed(
    shop: dict[str, FAQ],
    surely_needs_model: NeedsIt,
    model_is_configured: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = tuple(step for step in STEPS if step is not language_model.STEP)
    assert surely_needs_model("那些星星有多远")
    monkeypatch.setattr(pipeline, "STEPS", others)
    assert not surely_needs_model("那些星星有多远")


def test_an_answer_tells_what_it_rests_on(shop: dict[str, FAQ], ask: Ask) -> None:
    given = ask(RETURNS[0])
    assert [(one.kind, one.id, one.title) for one in given.evidence] == [
        ("faq", shop[RETURNS[0]].pk, RETURNS[0])
    ]
    thought_up = ask("退货申请在哪里", model=ModelStub("在订单页。"))
    assert thought_up.evidence[0].id == shop[RETURNS[0]].pk
    assert thought_up.faq_id is None
