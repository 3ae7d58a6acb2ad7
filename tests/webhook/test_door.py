"""The callback's workroom: nobody waits longer than their own deadline says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest
from django.db import OperationalError

from common.database_threads import database_work
from conversations.replies.passive import PENDING, Fetch, PassiveReply
from tests.webhook.wire import WAIT, Wire
from webhook.group_commit import NotWritten

A_LONG_TIME = 60.0


def test_a_claim_is_given_up_at_its_own_deadline_whoever_asked_before(
    gate: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at an answer is asked for at any moment of a hold: the first to ask may have the most
    time left.
    """
    database_answers = threading.Event()

    def fetch(fetches: Sequence[Fetch], latest: float) -> list[PassiveReply]:
        database_answers.wait(WAIT)
        return [PENDING] * len(fetches)

    monkeypatch.setattr(gate.door._finish, "_write", fetch)
    try:
        patient, hurried = (_claim(gate, seconds) for seconds in (A_LONG_TIME, 0.05))
        with pytest.raises(NotWritten, match="does not answer"):
            hurried.result(WAIT)
        assert not patient.done()
    finally:
        database_answers.set()
    assert patient.result(WAIT) == PENDING


def test_a_thread_that_answers_asks_again_where_its_connection_broke(gate: Wire) -> None:
    """It keeps its connection from one message to the next."""
    breaks = [OperationalError(2006, "gone away")]

    @database_work
    def answer() -> str:
        if breaks:
            raise breaks.pop()
        return "answered"

    assert gate.door._threads.submit(answer).result(WAIT) == "answered"


def _claim(wire: Wire, seconds: float) -> Future[PassiveReply]:
    async def ask() -> PassiveReply:
        return await wire.door.fetch_reply(Fetch(1, "look"), wire.loop.time() + seconds)

    return asyncio.run_coroutine_threadsafe(ask(), wire.loop)
