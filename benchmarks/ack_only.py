"""The product's callback over a door that answers nothing: what it costs to store, deduplicate, limit and acknowledge."""

from __future__ import annotations

from wechatbot import asgi
from webhook.callback import Callback
from webhook.door import Door


class SilentDoor(Door):
    def answer(self, message_id: int) -> None:
        """Nobody thinks, nothing is published."""


asgi.door = SilentDoor()
asgi.callback = Callback(asgi.door)
application = asgi.application
