"""Two processes that deliver the same conversation at once: each text goes out once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from conversations import delivery, ledger
from conversations.models import Reply, ReplyState
from tests.factories import MessageFactory, ReplyFactory

pytestmark = pytest.mark.django_db(transaction=True)


def claim_at_once(conversation_id: int, threads: int) -> list[Reply]:
    won: list[Reply] = []
    start = threading.Barrier(threads)

    def claim() -> None:
        start.wait()
        try:
            reply = delivery.claim_next(conversation_id)
            if reply is not None:
                won.append(reply)
        finally:
            connection.close()

    running = [threading.Thread(target=claim) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return won


def test_it_lets_one_of_many_claim_a_text() -> None:
    for _ in range(10):
        message = MessageFactory()
        ledger.open_message_window(message.conversation.customer_id, message.sent_at)
        reply = ReplyFactory(conversation=message.conversation, message=message)
        won = claim_at_once(message.conversation_id, 4)
        assert [one.pk for one in won] == [reply.pk]
        reply.refresh_from_db()
        assert reply.state == ReplyState.SENDING
