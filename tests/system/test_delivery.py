"""WeChat's side of the delivery: refused tokens, an API that is away, answers longer than a
message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.at_once import at_once
from tests.system.shop import MODEL_ANSWER, QUESTION, Phone, Shop

pytestmark = pytest.mark.system

SENTENCES = [f"第{number:02d}句：{'很长的一句话' * 12}。" for number in range(40)]
NINE_KB = "".join(SENTENCES)


def answered_by_the_api(shop: Shop, *phones: Phone, question: str = "给我讲讲你们的历史") -> None:
    """Their questions are acknowledged, the answers come later."""
    shop.model.behave(otherwise="when told")
    outcomes = at_once(*[lambda phone=phone: phone.say(question) for phone in phones])
    assert all(outcome.acknowledged for outcome in outcomes)
    shop.model.manner.may_speak.set()


def test_a_refused_token_is_renewed_once_by_one_process_and_everything_is_sent(shop: Shop) -> None:
    warm = shop.phone("verified", "oWarm")
    answered_by_the_api(shop, warm)
    warm.wait_to_read(MODEL_ANSWER)
    shop.model.manner.may_speak.clear()
    phones = [shop.phone("verified", f"oToken{number}") for number in range(12)]
    already = len(shop.wechat.token_calls)

    shop.wechat.refuse_token()
    answered_by_the_api(shop, *phones, question="给我讲讲你们的未来")
    for phone in phones:
        phone.wait_to_read(MODEL_ANSWER)

    assert [call["force_refresh"] for call in shop.wechat.token_calls[already:]] == [False, True]
    assert shop.wechat.refusals >= 1
    assert [phone.read for phone in phones] == [[MODEL_ANSWER]] * 12


def test_a_token_that_was_only_old_is_not_renewed_by_force(shop: Shop) -> None:
    phone = shop.phone("verified", "oOldToken")
    shop.redis.client.set(f"wechat:token:{shop.account.app_id}", "token-of-yesterday")
    already = len(shop.wechat.token_calls)

    answered_by_the_api(shop, phone)
    phone.wait_to_read(MODEL_ANSWER)

    assert [call["force_refresh"] for call in shop.wechat.token_calls[already:]] == [False]
    assert (shop.wechat.refusals, phone.reply.tries) == (1, 1)


def test_a_text_waits_for_the_end_of_the_pause_between_two_forced_tokens(shop: Shop) -> None:
    phone = shop.phone("verified", "oTwiceRefused")
    shop.redis.client.set(f"wechat:token:forced:{shop.account.app_id}", 1, ex=30)
    already = len(shop.wechat.token_calls)

    shop.wechat.refuse_token()
    answered_by_the_api(shop, phone)
    waiting = ("ready", 0, "TokenTooSoon")
    shop.wait_until(
        lambda: _waiting_for(phone) == [waiting], 20, "the token is refused, and none may be forced"
    )
    assert not any(call["force_refresh"] for call in shop.wechat.token_calls[already:])
    phone.wait_to_read(MODEL_ANSWER, 60)

    assert [call["force_refresh"] for call in shop.wechat.token_calls[already:]].count(True) == 1
    assert (phone.read, phone.reply.tries) == ([MODEL_ANSWER], 1)
    assert shop.model.calls == 1


@contextmanager
def wechat_away(shop: Shop) -> Iterator[None]:
    shop.wechat.stop()
    try:
        yield
    finally:
        shop.wechat.start()


def test_an_unreachable_api_is_tried_again_with_growing_pauses_then_failed_with_the_reason(
    shop: Shop,
) -> None:
    phone = shop.phone("verified", "oUnreachable")

    pauses = []
    with wechat_away(shop):
        answered_by_the_api(shop, phone)
        for tries in range(1, 6):
            shop.wait_until(lambda n=tries: _waits_after(phone, n), 20, f"try {tries} failed")
            pauses.append(_pause_before_next_try(phone))
            shop.deliver_now()
        shop.wait_until(lambda: phone.reply.state == "failed", 20, "it is given up")

    assert all(
        took > pause - 0.1 for took, pause in zip(pauses, (2, 5, 15, 60, 180), strict=True)
    ), pauses
    assert phone.reply.tries == 6
    assert "reach" in phone.reply.reason.lower()
    assert shop.model.calls == 1


def _waiting_for(phone: Phone) -> list[tuple[str, int, str]]:
    """State, tries and the error's name of each reply."""
    return [(reply.state, reply.tries, reply.reason.partition(":")[0]) for reply in phone.replies]


def _waits_after(phone: Phone, tries: int) -> bool:
    return [(reply.state, reply.tries) for reply in phone.replies] == [("ready", tries)]


def _pause_before_next_try(phone: Phone) -> float:
    """From its claim, which is leased for 30 s, to the next time it is due."""
    seconds = {
        "mysql": "TIMESTAMPDIFF(MICROSECOND, lease_until, due_at) / 1000000",
        "sqlite": "(julianday(due_at) - julianday(lease_until)) * 86400",
    }["mysql" if phone.shop.database.url.startswith("mysql") else "sqlite"]
    return (
        float(
            phone.shop.rows(
                f"SELECT {seconds} FROM conversations_reply WHERE id = {phone.reply.id}"
            )[0][0]
        )
        + 30
    )


def test_the_answer_is_sent_when_the_api_is_back(shop: Shop) -> None:
    phone = shop.phone("verified", "oBackAgain")

    with wechat_away(shop):
        answered_by_the_api(shop, phone)
        shop.wait_until(lambda: _waits_after(phone, 1), 20, "the first try failed")
    phone.wait_to_read(MODEL_ANSWER)

    assert phone.read == [MODEL_ANSWER]


def test_nine_kilobytes_go_out_in_order_within_the_window_and_the_rest_with_the_next_message(
    shop: Shop,
) -> None:
    shop.model.manner.answer = NINE_KB
    phone = shop.phone("verified", "oLong")
    answered_by_the_api(shop, phone)
    shop.wait_until(
        lambda: {reply.state for reply in phone.replies} == {"sent", "waiting"},
        30,
        "the window is used",
    )

    sent = [reply for reply in phone.replies if reply.state == "sent"]
    assert [reply.part for reply in sent] == [1, 2, 3]
    assert [text[:4] for text in phone.read] == [reply.text[:4] for reply in sent]
    assert all(len(text.encode()) <= 2000 for text in phone.read)

    phone.say(QUESTION)
    shop.wait_until(
        lambda: {reply.state for reply in phone.replies} == {"sent"}, 30, "the rest is sent"
    )
    assert sentences_in(phone.read) == SENTENCES


def test_nine_kilobytes_on_an_unverified_account_come_in_pages_by_tap(shop: Shop) -> None:
    shop.model.manner.answer = NINE_KB
    phone = shop.phone("unverified", "oPages")

    phone.say("给我讲讲你们的历史")
    while "看下一页" in phone.read[-1] and len(phone.read) < 12:
        phone.tap()

    assert len(phone.read) == 6
    assert all(len(text.encode()) <= 2048 for text in phone.read)
    assert sentences_in(phone.read) == SENTENCES
    assert shop.wechat.sent == []
    assert shop.model.calls == 1


def sentences_in(texts: list[str]) -> list[str]:
    """Of the long answer, in the order they were read."""
    return [sentence for text in texts for sentence in SENTENCES if sentence in text]
