"""A proxy before MariaDB that loses the answer to one command: the server has done it, and nobody
hears of it, for the connection breaks.

`with LossyProxy(server, folder) as proxy:`, then `proxy.lose(3)`: the fourth command from now on.
`proxy.commands` are the SQL texts that came since.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Self

QUERY = 3
# Client and server shake hands first; a packet of the client that begins an exchange has number 0.
FIRST = 0


class LossyProxy:
    def __init__(self, server: str, folder: Path) -> None:
        self.socket = folder / "lossy.sock"
        self.commands: list[str] = []
        self._server = server
        self._lost: int | None = None
        self._lock = threading.Lock()
        self._listening = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._listening.bind(str(self.socket))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def lose(self, number: int | None) -> None:
        with self._lock:
            self.commands.clear()
            self._lost = number

    @property
    def has_lost(self) -> bool:
        return self._lost is not None and len(self.commands) > self._lost

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            _Link(self, client, server).start()

    def _is_lost(self, packet: bytes) -> bool:
        if packet[3] != FIRST or packet[4] != QUERY:
            return False
        with self._lock:
            self.commands.append(packet[5:].decode(errors="replace"))
            return self._lost == len(self.commands) - 1


class _Link:
    """One client's connection."""

    def __init__(self, proxy: LossyProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._is_deaf = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._carry_commands, daemon=True).start()
        threading.Thread(target=self._carry_answers, daemon=True).start()

    def _carry_commands(self) -> None:
        try:
            while packet := _read_packet(self._client):
                if self._proxy._is_lost(packet):
                    self._is_deaf.set()
                self._server.sendall(packet)
        except OSError:
            pass
        self._close()

    def _carry_answers(self) -> None:
        try:
            while answer := self._server.recv(65536):
                if self._is_deaf.is_set():
                    break
                self._client.sendall(answer)
        except OSError:
            pass
        self._close()

    def _close(self) -> None:
        """Both threads see the end of their side."""
        for side in (self._client, self._server):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _read_packet(source: socket.socket) -> bytes:
    """Its length in three bytes, its number, its content; b"" at the end."""
    head = _read(source, 4)
    if len(head) < 4:
        return b""
    return head + _read(source, int.from_bytes(head[:3], "little"))


def _read(source: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        piece = source.recv(length - len(found))
        if not piece:
            break
        found += piece
    return found
