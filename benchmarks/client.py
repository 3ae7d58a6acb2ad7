"""WeChat's side of a benchmark, a process of its own: pushes over fresh connections, cut after 5 s,
three deliveries.

`python -m benchmarks.client ORDER.json OUTCOMES.json`. All requests are made before the first is
sent. Prints the moment (`time.monotonic`) at which it begins, and at the end the CPU seconds that
it took since. Open loop: a push leaves when it is due, whatever became of the others; only with
`at_once` (saturation) it keeps so many connections busy.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.account import APP_IDS, Kind
from benchmarks.pushes import Push, http_request, text_of_reply

CUT_AFTER = 5.0
DELIVERIES = 3
SECONDS_PER_REQUEST_MADE = 0.0004
CONNECTION_LOST = 0


@dataclass(frozen=True)
class Order:
    """What to send. `age`: how old CreateTime says that a push is. `spread`: evenly or as customers
    come (Poisson).
    """

    port: int
    texts: list[str]
    kind: Kind = "api"
    rate: float = 0.0
    at_once: int = 0
    seconds: float = 0.0
    age: int = 0
    deliveries: int = DELIVERIES
    cut_after: float = CUT_AFTER
    evenly: bool = False
    seed: int = 1
    prefix: str = "o"


@dataclass
class Sent:
    """One push and its deliveries: when each began and ended, the status (0: no answer), the text
    of the reply.
    """

    openid: str
    started: float = 0.0
    deliveries: list[tuple[float, float, int, bytes]] = field(default_factory=list)


class Delivery(asyncio.Protocol):
    """One connection. As little as possible is done here: the client shares the machine with what
    it measures.
    """

    __slots__ = ("_client", "_number", "_request", "_started", "_timer", "_transport", "received")

    def __init__(self, client: Client, number: int, request: bytes) -> None:
        self._client, self._number, self._request = client, number, request
        self._started = time.monotonic()
        self._transport: asyncio.Transport | None = None
        self._timer = client.loop.call_later(client.order.cut_after, self._cut)
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it.
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, error: Exception | None) -> None:
        self.finish()

    def _cut(self) -> None:
        if self._transport is None:
            self.finish()
        else:
            self._transport.abort()

    def finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._client.delivered(self._number, self._started, self.received)


class Client:
    def __init__(self, order: Order, requests: list[bytes], sent: list[Sent]) -> None:
        self.loop = asyncio.get_running_loop()
        self.order, self._requests, self._sent = order, requests, sent
        self._open = 0
        self._next = 0
        self._ends_at = float("inf")
        self._all_over = asyncio.Event()

    async def run(self, begins_at: float) -> None:
        await asyncio.sleep(begins_at - time.monotonic())
        if self.order.at_once:
            self._ends_at = begins_at + self.order.seconds
            for _ in range(self.order.at_once):
                self._send_next()
        else:
            await self._send_when_due(begins_at)
        while self._open:
            self._all_over.clear()
            await self._all_over.wait()

    async def _send_when_due(self, begins_at: float) -> None:
        gaps = random.Random(self.order.seed)
        due = begins_at
        for _ in self._requests:
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._send_next()
            due += 1 / self.order.rate if self.order.evenly else gaps.expovariate(self.order.rate)

    def _send_next(self) -> None:
        if self._next < len(self._requests) and time.monotonic() < self._ends_at:
            self._sent[self._next].started = time.monotonic()
            self._open += 1
            self._deliver(self._next)
            self._next += 1

    def _deliver(self, number: int) -> None:
        self.loop.create_task(self._connect(Delivery(self, number, self._requests[number])))

    async def _connect(self, delivery: Delivery) -> None:
        # Nobody listens: WeChat comes again after its pause, not at once, and the delivery's timer
        # ends it.
        with suppress(OSError):
            await self.loop.create_connection(lambda: delivery, "127.0.0.1", self.order.port)

    def delivered(self, number: int, started: float, received: bytes) -> None:
        status = int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else CONNECTION_LOST
        sent = self._sent[number]
        sent.deliveries.append((started, time.monotonic(), status, received))
        if status == CONNECTION_LOST and len(sent.deliveries) < self.order.deliveries:
            self._deliver(number)
            return
        self._open -= 1
        if self.order.at_once:
            self._send_next()
        if not self._open:
            self._all_over.set()


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    order = Order(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    needed = len(order.texts) * SECONDS_PER_REQUEST_MADE + 0.5
    begins_at, epoch = time.monotonic() + needed, time.time() + needed
    print(begins_at, flush=True)
    sent, requests = _made(order, epoch)
    made = time.process_time()
    uvloop.run(_run(order, requests, sent, begins_at))
    print(time.process_time() - made, flush=True)
    outcomes = [_readable(one, APP_IDS[order.kind]) for one in sent if one.started]
    Path(sys.argv[2]).write_text(json.dumps(outcomes, ensure_ascii=False), encoding="utf-8")


def _made(order: Order, epoch: float) -> tuple[list[Sent], list[bytes]]:
    sent, requests = [], []
    first_id = int(epoch * 1000) * 10**6
    for number, text in enumerate(order.texts):
        openid = f"{order.prefix}{first_id % 10**12 + number:024d}"[:28]
        created = int(epoch + (number / order.rate if order.rate else 0)) - order.age
        push = Push(openid, first_id + number, text, created)
        requests.append(http_request(push, f"/wechat/{order.kind}", APP_IDS[order.kind]))
        sent.append(Sent(openid))
    return sent, requests


async def _run(order: Order, requests: list[bytes], sent: list[Sent], begins_at: float) -> None:
    await Client(order, requests, sent).run(begins_at)


def _readable(one: Sent, app_id: str) -> dict[str, object]:
    deliveries = [
        (start, end, status, text_of_reply(received.partition(b"\r\n\r\n")[2], app_id))
        for start, end, status, received in one.deliveries
    ]
    return {**asdict(one), "deliveries": deliveries}


if __name__ == "__main__":
    main()
