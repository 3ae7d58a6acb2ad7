"""Workers killed while they answer: another goes on, and the customer reads one answer."""

from __future__ import annotations

import pytest

from tests.services.process import Process
from tests.system.shop import MODEL_ANSWER, QUESTION, Phone, Shop

pytestmark = pytest.mark.system


def holder_of_the_call(shop: Shop) -> Process:
    """The worker that holds the connection to the model now. One that just started may need the
    next sweep.
    """
    shop.wait_until(lambda: shop.model.in_flight, 60, "the model is being asked")
    held = "SELECT lease_holder FROM conversations_conversation WHERE lease_until > '2001-01-01'"
    (pid,) = shop.rows(held)[0]
    return next(worker for worker in shop.workers if str(worker.pid) == str(pid).split("-")[0])


def kill_in_the_call(shop: Shop, calls: int) -> None:
    """Whichever worker asks the model for the `calls`-th time dies while it
    waits for the answer.
    """
    shop.wait_until(lambda: shop.model.calls >= calls, 40, f"call {calls} of the model")
    worker = holder_of_the_call(shop)
    worker.kill()
    worker.start()


def test_another_worker_answers_for_the_killed_one_and_its_slot_is_free_again(shop: Shop) -> None:
    """With one slot for all processes: what the dead one held would keep the second call away for
    good.
    """
    shop.limit_models(calls=1)
    try:
        shop.model.behave("when told")
        phone = shop.phone("verified", "oKilledOnce")

        assert phone.say("给我讲讲你们的历史").acknowledged
        worker = holder_of_the_call(shop)
        worker.kill()
        phone.wait_to_read(MODEL_ANSWER, 60)

        assert phone.read == [MODEL_ANSWER]
        assert phone.ticket_reasons == []
        assert (phone.message.state, phone.message.attempt) == ("answered", 2)
        assert shop.model.calls == 2
    finally:
        shop.limit_models()


def test_a_worker_that_was_thought_dead_and_comes_back_writes_nothing(shop: Shop) -> None:
    shop.model.behave("when told")
    phone = shop.phone("verified", "oFrozen")
    assert phone.say("给我讲讲你们的历史").acknowledged
    worker = holder_of_the_call(shop)

    worker.freeze()
    try:
        shop.let_the_lease_run_out()
        phone.wait_to_read(MODEL_ANSWER)
        shop.model.manner.may_speak.set()
    finally:
        worker.thaw()
    shop.wait_until(
        lambda: "was taken over by another worker" in worker.words,
        what="the late answer is dropped",
    )

    assert phone.read == [MODEL_ANSWER]
    assert len(phone.replies) == 1
    assert shop.model.calls == 2


@pytest.mark.parametrize("kind", ["verified", "unverified"])
def test_a_message_that_kills_its_worker_three_times_is_handed_over_with_a_kind_text(
    shop: Shop, kind
) -> None:
    shop.model.behave(otherwise="when told")
    phone = shop.phone(kind, "oDeadly")
    push = phone.side.text(phone.openid, "给我讲讲你们的历史")
    phone.deliver(push, cut=0.5)

    for call in (1, 2, 3):
        kill_in_the_call(shop, call)
        shop.let_the_lease_run_out()
    shop.wait_until(lambda: phone.replies, 30, "a word to the customer")
    word = _what_the_customer_reads(phone, push)

    assert "稍后由人工回复您" in word
    assert phone.message.state == "handed_over"
    assert phone.ticket_reasons == ["broken"]
    assert phone.questions_on_tickets == ["给我讲讲你们的历史"]
    assert shop.model.calls == 3


def _what_the_customer_reads(phone: Phone, push) -> str:
    """By the next delivery of the push, or by the API where nobody came back in time."""
    again = phone.push(push)
    if again.text is None:
        phone.shop.wait_until(lambda: phone.read, 20, "the word is sent")
    (word,) = phone.read
    return word


def test_a_reply_whose_sender_died_is_shown_as_unknown_and_never_sent_again(shop: Shop) -> None:
    """WeChat may have taken it: it knows no key against doubles."""
    shop.take_token()
    shop.wechat.silent = True
    shop.model.behave(otherwise="when told")
    phone = shop.phone("verified", "oDiesSending")

    assert phone.say("给我讲讲你们的历史").acknowledged
    shop.model.manner.may_speak.set()
    shop.wait_until(lambda: _has_begun(phone), what="the call has begun")
    assert phone.reply.state == "sending"
    for worker in shop.workers:
        worker.kill()
    shop.wechat.silent = False
    shop.rows("UPDATE conversations_reply SET lease_until = '2000-01-01 00:00:00'")
    shop.wait_until(lambda: phone.reply.state == "unknown", 20, "the outcome is unknown")

    assert phone.reply.reason == "the process that sent it died"
    shop.let_the_lease_run_out()
    assert phone.say(QUESTION).text is not None
    assert MODEL_ANSWER not in phone.read


def _has_begun(phone: Phone) -> bool:
    ids = [reply.id for reply in phone.replies]
    begun = "SELECT 1 FROM conversations_reply WHERE begun_at IS NOT NULL AND id = "
    return any(phone.shop.rows(f"{begun}{reply_id}") for reply_id in ids)


CLAIMED_BY_THE_DEAD = """
from conversations.models import Author, Conversation, Reply, ReplyState
Reply.objects.create(
    conversation=Conversation.objects.get(customer__openid="oOnlyClaimed"), author=Author.AGENT,
    text="您好", state=ReplyState.SENDING, claim="of the dead", tries=1,
    lease_until="2000-01-01T00:00Z", due_at="2000-01-01T00:00Z")
"""


def test_a_text_whose_sender_died_before_its_call_is_sent_by_another(shop: Shop) -> None:
    phone = shop.phone("verified", "oOnlyClaimed")
    assert phone.say(QUESTION).text is not None

    shop.shell(CLAIMED_BY_THE_DEAD)
    phone.wait_to_read("您好", 60)

    assert phone.read.count("您好") == 1
    shop.wait_until(
        lambda: [reply.state for reply in phone.replies] == ["sent", "sent"],
        what="that both were sent is noted",
    )
