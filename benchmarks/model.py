"""The fake model as a process of the benchmarks: as tests/fake_model.py, and it tells how long it
thought each time.

`python -m benchmarks.model PORT SECONDS CHUNKS [MEDIAN,P95]`; it answers with the customer's own
words.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass, field
from typing import Any

import uvloop

from tests.fake_model import Server
from tests.fake_model_behaviours import Manner


@dataclass
class RememberedManner(Manner):
    drawn: list[float] = field(default_factory=list)

    def draw_seconds(self) -> float:
        seconds = super().draw_seconds()
        self.drawn.append(seconds)
        return seconds


class CountingServer(Server):
    manner: RememberedManner

    def stats(self) -> dict[str, Any]:
        return {"calls": self.calls, "in_flight": self.in_flight, "drawn": self.manner.drawn}


def _manner(seconds: str, chunks: str, lognormal: str = "") -> RememberedManner:
    median, _, p95 = lognormal.partition(",")
    return RememberedManner(
        seconds=float(seconds),
        chunks=int(chunks),
        lognormal=(float(median), float(p95)) if median else None,
        otherwise="echo",
    )


async def main(port: int, manner: RememberedManner) -> None:
    server = CountingServer(manner)
    listening = await asyncio.start_server(server.serve_connection, "127.0.0.1", port, backlog=1024)
    await listening.serve_forever()


if __name__ == "__main__":
    random.seed(4)
    uvloop.run(main(int(sys.argv[1]), _manner(*sys.argv[2:])))
