"""Language models that fail in every way, seen from the customer."""

from __future__ import annotations

import pytest

from tests.at_once import at_once
from tests.system.shop import MODEL_ANSWER, Shop

pytestmark = pytest.mark.system

SECOND = "您好，这是备用模型的回答。"


@pytest.mark.parametrize(
    "failure", ["500", "429", "cut", "html", "close at once", "empty text", "no choices"]
)
def test_the_second_model_answers_when_the_first_fails(shop: Shop, failure: str) -> None:
    shop.model.behave(otherwise=failure)
    shop.fallback.manner.answer = SECOND
    phone = shop.phone("unverified", "oFallback")

    assert phone.say("给我讲讲你们的历史").text == SECOND
    assert (shop.model.calls, shop.fallback.calls) == (1, 1)
    assert phone.ticket_reasons == []


def test_the_second_model_answers_when_the_first_hangs(shop: Shop) -> None:
    shop.limit_models(first_token=1, total=2)
    try:
        shop.model.behave("hang", "hang in stream")
        shop.fallback.manner.answer = SECOND
        silent, stuck = shop.phone("verified", "oHangs"), shop.phone("unverified", "oHangsToo")

        at_once(lambda: silent.say("给我讲讲你们的历史"), lambda: stuck.say("给我讲讲你们的未来"))
        for phone in (silent, stuck):
            shop.wait_until(lambda phone=phone: phone.replies, 60, "an answer")
        silent.wait_to_read(SECOND)
        stuck.tap_until(lambda: SECOND in stuck.read)

        assert (shop.model.calls, shop.fallback.calls) == (2, 2)
    finally:
        shop.limit_models()


@pytest.mark.parametrize("kind", ["verified", "unverified"])
def test_with_both_models_down_there_is_a_ticket_and_a_kind_text(shop: Shop, kind) -> None:
    shop.model.behave(otherwise="503")
    shop.fallback.behave(otherwise="html")
    phone = shop.phone(kind, "oBothDown")

    text = phone.say("给我讲讲你们的历史").text

    assert text is not None
    assert "稍后由人工回复您" in text
    assert phone.ticket_reasons == ["model_down"]
    assert phone.questions_on_tickets == ["给我讲讲你们的历史"]
    assert phone.message.state == "handed_over"


def test_with_all_slots_taken_there_is_a_kind_line_at_once(shop: Shop) -> None:
    """Two models with one slot each, over two workers: the third customer does not wait for the
    first two.
    """
    shop.limit_models(calls=1)
    try:
        for model in (shop.model, shop.fallback):
            model.behave(otherwise="when told")
        first, second, third = (shop.phone("verified", f"oSlot{number}") for number in range(3))
        for phone in (first, second):
            phone.deliver(phone.side.text(phone.openid, "给我讲讲你们的历史"), cut=1)
        shop.wait_until(
            lambda: shop.model.calls + shop.fallback.calls == 2, what="both slots are taken"
        )

        text = third.say("给我讲讲你们的未来").text

        assert text is not None
        assert text.startswith("现在咨询的人较多")
        assert third.ticket_reasons == ["model_busy"]
        assert first.replies == second.replies == []
        for model in (shop.model, shop.fallback):
            model.manner.may_speak.set()
        for phone in (first, second):
            phone.wait_to_read(MODEL_ANSWER)
        assert (shop.model.calls, shop.fallback.calls) == (1, 1)
    finally:
        shop.limit_models()
