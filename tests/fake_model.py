"""A small OpenAI-compatible endpoint that behaves or misbehaves as told.

In a test: `with FakeModel() as model: model.behave("hang", "echo")`, then look at `model.asked`. As
a process, for load: `python -m tests.fake_model --port 9000 --seconds 3 --chunks 10`, steered over
HTTP: GET /stats, POST /behave with `{"queue": ["429"], "otherwise": "echo"}`. A request whose model
name is `behave:<behaviour>` gets that behaviour.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import ssl
import threading
from collections import deque
from typing import Any

import uvloop

from tests.fake_model_behaviours import BEHAVIOURS, Asked, Call, Manner


class Server:
    """The asyncio part: HTTP/1.1 with keep-alive, no more than our client and an SDK need."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.asked: deque[Asked] = deque(maxlen=10_000)
        self.calls = self.in_flight = self.most_in_flight = self.connections = 0
        self.by_behaviour: dict[str, int] = {}

    async def serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                await self._serve_request(reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # The client has gone, or the server ends.
        finally:
            writer.close()

    async def _serve_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split(" ")[1]
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
        }
        content = await reader.readexactly(int(headers.get("content-length") or 0))
        asked = Asked(path, headers, json.loads(content) if content else {})
        call = Call(asked, self.manner, reader, writer)
        if path == "/stats":
            call.send(200, json.dumps(self.stats()))
        elif path == "/behave":
            self._behave(asked.body)
            call.send(200, "{}")
        elif path.endswith("/chat/completions"):
            await self._complete(call)
        else:
            call.refuse(404, "no such page")

    async def _complete(self, call: Call) -> None:
        self.asked.append(call.asked)
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
            "last": [asked.body for asked in itertools.islice(reversed(self.asked), 20)],
        }


class FakeModel:
    """The same server in a thread of this process."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, **manner: Any) -> None:
        self.server = Server(Manner(**manner))
        self.port = 0
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake model", daemon=True)

    def __enter__(self) -> FakeModel:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1"

    @property
    def asked(self) -> list[Asked]:
        return list(self.server.asked)

    @property
    def calls(self) -> int:
        return self.server.calls

    @property
    def manner(self) -> Manner:
        return self.server.manner

    def behave(self, *queue: str, otherwise: str | None = None) -> None:
        """The next requests get these behaviours in turn, all further ones `otherwise`."""
        unknown = {*queue, *([otherwise] if otherwise else [])} - set(BEHAVIOURS)
        assert not unknown, f"no such behaviour: {unknown}"
        self.manner.queue.extend(queue)
        self.manner.otherwise = otherwise or self.manner.otherwise

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(self.server.serve_connection, "127.0.0.1", 0, ssl=self._tls)
        listening = self._loop.run_until_complete(start)
        self.port = listening.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        listening.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible endpoint.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long an answer takes")
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--lognormal", help="median,p95 of the seconds an answer takes")
    parser.add_argument("--answer", default=Manner.answer)
    parser.add_argument("--otherwise", default="answer", choices=sorted(BEHAVIOURS))
    return parser.parse_args()


async def _serve(port: int, manner: Manner) -> None:
    listening = await asyncio.start_server(
        Server(manner).serve_connection, "127.0.0.1", port, backlog=1024
    )
    port = listening.sockets[0].getsockname()[1]  # It was 0: any that is free.
    print(f"fake model on http://127.0.0.1:{port}/v1", flush=True)
    await listening.serve_forever()


def main() -> None:
    said = _arguments()
    lognormal = tuple(float(part) for part in said.lognormal.split(",")) if said.lognormal else None
    manner = Manner(said.answer, said.seconds, said.chunks, lognormal, otherwise=said.otherwise)  # type: ignore[arg-type]
    uvloop.run(_serve(said.port, manner))


if __name__ == "__main__":
    main()
