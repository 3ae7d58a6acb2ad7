"""Signs of life that a child gives when it is asked. None of them ever keeps the asker waiting.

Bare sockets: an HTTP or a Redis library costs ten megabytes for one line.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import Protocol

from wechatbot.supervisor.readiness import reachable

_UNDER_WAY = (errno.EINPROGRESS, errno.EAGAIN)


class Sign(Protocol):
    def ask(self) -> None:
        """Begin. What came before does not count."""

    def listen(self) -> bool:
        """Whether a sign has come by now; to be called until one does or the time is over."""


class Beating(Protocol):
    @property
    def pulse(self) -> int: ...


class Beat:
    """A pulse in the pipe of a worker; each of its lives has another pipe."""

    def __init__(self, child: Beating) -> None:
        self._child = child

    def ask(self) -> None:
        self._drain()

    def listen(self) -> bool:
        return self._drain()

    def _drain(self) -> bool:
        has_come = False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._child.pulse, 4096):
                has_come = True
        return has_come


class Answer:
    """Any word back over a socket. A hang-up counts too: a web process without a free file
    does just that.
    """

    def __init__(self, family: int, address: tuple[str, int] | str, words: bytes) -> None:
        self._family, self._address, self._words = family, address, words
        self._socket: socket.socket | None = None
        self._has_asked = False

    def ask(self) -> None:
        self._hang_up()
        self._has_asked = False
        self._socket = socket.socket(self._family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        if self._socket.connect_ex(self._address) not in (0, *_UNDER_WAY):
            self._hang_up()

    def listen(self) -> bool:
        if self._socket is None:
            return False
        try:
            self._go_on(self._socket)
        except BlockingIOError:
            return False
        except OSError as error:
            return self._end_after(error)
        self._hang_up()
        return True

    def _go_on(self, connection: socket.socket) -> None:
        if not self._has_asked:
            connection.send(self._words)
            self._has_asked = True
        connection.recv(64)

    def _end_after(self, error: OSError) -> bool:
        if error.errno == errno.ENOTCONN:  # Not connected yet.
            return False
        self._hang_up()
        return error.errno in (errno.ECONNRESET, errno.EPIPE)

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def web_answer(host: str, port: int) -> Answer:
    family, _, _, _, address = socket.getaddrinfo(reachable(host), port, type=socket.SOCK_STREAM)[0]
    words = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return Answer(family, (str(address[0]), int(address[1])), words)


def redis_answer(path: str) -> Answer:
    """While it reads its file it says that it is loading, which is a sign of life as well."""
    return Answer(socket.AF_UNIX, path, b"PING\r\n")
