"""The live line to an open page. It only brings news; what was missed is in the rows."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from simulator.access import scope_may_see
from simulator.live import EVERYBODY, group_of

NOT_ALLOWED = 4403


class SimulatorConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        self.listens_to: list[str] = []
        await self.accept()
        if not await database_sync_to_async(scope_may_see)(self.scope):
            await self.close(code=NOT_ALLOWED)
            return
        self.listens_to = [EVERYBODY, *self._customer_group()]
        for group in self.listens_to:
            await self.channel_layer.group_add(group, self.channel_name)
        # From here on nothing is missed: the page reads the rows once more after this word.
        await self.send_json({"type": "ready"})

    async def disconnect(self, code: int) -> None:
        for group in self.listens_to:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def simulator_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """The page only listens; it acts over HTTP, where CSRF is checked."""

    def _customer_group(self) -> list[str]:
        customer = parse_qs(self.scope["query_string"].decode("latin-1")).get("customer", [""])[0]
        return [group_of(int(customer))] if customer.isascii() and customer.isdigit() else []
