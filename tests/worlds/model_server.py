"""A small OpenAI-compatible endpoint that behaves or misbehaves as told.

In a test: `with ModelServer() as model: model.behave("hang", "echo")`, then look at `model.asked`.
As a process, for load: `python -m tests.worlds.model_server --port 9000 --seconds 3 --chunks 10`,
steered over HTTP: GET /stats, POST /behave with `{"queue": ["429"], "otherwise": "echo"}`. A
request whose model name is `behave:<behaviour>` gets that behaviour.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import ssl
from collections import deque
from typing import Any

from tests.worlds.local_server import LocalServer, Received
from tests.worlds.model_behaviours import BEHAVIOURS, Asked, Call, Manner


class ModelServer(LocalServer):
    def __init__(self, manner: Manner | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self.manner = manner or Manner()
        self.calls = self.in_flight = self.most_in_flight = 0
        self.by_behaviour: dict[str, int] = {}
        self._asked: deque[Asked] = deque(maxlen=10_000)

    @property
    def url(self) -> str:
        return f"{super().url}/v1"

    @property
    def asked(self) -> list[Asked]:
        return list(self._asked)

    def behave(self, *queue: str, otherwise: str | None = None) -> None:
        """The next requests get these behaviours in turn, all further ones `otherwise`."""
        unknown = {*queue, *([otherwise] if otherwise else [])} - set(BEHAVIOURS)
        assert not unknown, f"no such behaviour: {unknown}"
        self.manner.queue.extend(queue)
        self.manner.otherwise = otherwise or self.manner.otherwise

    def forget(self) -> None:
        """For the next test: nothing was asked, and it answers as at first."""
        self.manner.queue.clear()
        self.manner.otherwise = Manner.otherwise
        self.calls = 0
        self._asked.clear()

    async def respond(
        self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        said = json.loads(received.body) if received.body else {}
        asked = Asked(received.path, received.headers, said)
        call = Call(asked, self.manner, reader, writer)
        if received.path == "/stats":
            call.send(200, json.dumps(self.stats()))
        elif received.path == "/behave":
            self._behave(said)
            call.send(200, "{}")
        elif received.path.endswith("/chat/completions"):
            await self._complete(call)
        else:
            call.refuse(404, "no such page")

    async def _complete(self, call: Call) -> None:
        self._asked.append(call.asked)
        name = self._next_behaviour(str(call.asked.body.get("model", "")))
        self.calls += 1
        self.by_behaviour[name] = self.by_behaviour.get(name, 0) + 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await BEHAVIOURS[name](call)
        finally:
            self.in_flight -= 1

    def _next_behaviour(self, model: str) -> str:
        if model.startswith("behave:"):
            return model.removeprefix("behave:")
        return self.manner.queue.popleft() if self.manner.queue else self.manner.otherwise

    def _behave(self, said: dict[str, Any]) -> None:
        self.manner.queue.extend(said.get("queue", []))
        for name in ("otherwise", "answer", "seconds", "chunks", "arguments"):
            if name in said:
                setattr(self.manner, name, said[name])

    def stats(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "connections": self.connections,
            "by_behaviour": self.by_behaviour,
            "drawn": self.manner.drawn,
            "last": [asked.body for asked in itertools.islice(reversed(self._asked), 20)],
        }


def _pair(written: str) -> tuple[float, float]:
    median, p95 = written.split(",")
    return float(median), float(p95)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible endpoint.")
    parser.add_argument("--port", type=int, required=True, help="0: any that is free")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long an answer takes")
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--lognormal", type=_pair, help="median,p95 of the seconds")
    parser.add_argument("--answer", default=Manner.answer)
    parser.add_argument("--otherwise", default=Manner.otherwise, choices=sorted(BEHAVIOURS))
    parser.add_argument("--seed", type=int, help="draw the same seconds as with this seed before")
    return parser.parse_args()


def main() -> None:
    said = _arguments()
    random.seed(said.seed)
    server = ModelServer(
        Manner(
            answer=said.answer,
            seconds=said.seconds,
            chunks=said.chunks,
            lognormal=said.lognormal,
            otherwise=said.otherwise,
        )
    )
    server.port = said.port
    server.run()


if __name__ == "__main__":
    main()
