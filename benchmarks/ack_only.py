"""The product's own callback and door, but nobody answers: what it costs to store, limit and
acknowledge a push.
"""

from __future__ import annotations

from wechatbot import asgi


def answer_nothing(message_id: int) -> None:
    """Nobody thinks, nothing is published."""


asgi.door.answer = answer_nothing
application = asgi.application
