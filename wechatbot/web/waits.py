"""Which connections the server waits for, and which of them end when time or room runs out.

Each line is ordered by its beginning. A request that is complete stands in none of them: it is the
application's, and nobody ends it here. So a held push keeps its connection whatever happens around
it.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Protocol

HEAD_SECONDS = 10.0
CALLBACK_BODY_SECONDS = 5.0
BODY_SECONDS = 60.0
# Twenty megabytes over a slow line.
UPLOAD_SECONDS = 300.0
# A client that reads nothing would keep a page's place for ever.
READING_SECONDS = 30.0
MOST_CONNECTIONS = 8192
# Databases, Redis, static files and logs need files too.
KEPT_FOR_OTHERS = 256


class Connection(Protocol):
    def end(self) -> None: ...


class Waits:
    def __init__(self, file_limit: int) -> None:
        self.most_connections = min(
            max(file_limit - KEPT_FOR_OTHERS, file_limit // 2), MOST_CONNECTIONS
        )
        # Kept alive after a response: no byte of another request yet.
        self.kept: dict[Connection, None] = {}
        # The others with the moment at which the wait is over: for a head, for a body, for the
        # client to read.
        self.heads: dict[Connection, float] = {}
        self.bodies: dict[Connection, float] = {}
        self.readers: dict[Connection, float] = {}

    def forget(self, connection: Connection) -> None:
        self.kept.pop(connection, None)
        self.heads.pop(connection, None)
        self.bodies.pop(connection, None)
        self.readers.pop(connection, None)

    def make_room(self, newcomer: Connection | None = None) -> bool:
        """End the longest idle connection. False: all of them are at work, and nobody is ended."""
        for line in (self.kept, self.heads, self.bodies):
            oldest = next(iter(line), None)
            if oldest is not None and oldest is not newcomer:
                self._end(oldest)
                return True
        return False

    def end_the_late(self, now: float) -> None:
        """Heads all have the same time and stand in order, the others do not."""
        late = [
            connection
            for connection, _ in takewhile(lambda wait: wait[1] <= now, self.heads.items())
        ]
        for line in (self.bodies, self.readers):
            late += [connection for connection, until in line.items() if until <= now]
        for connection in late:
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        self.forget(connection)
        connection.end()
