"""One HTTP session per process for all model endpoints, whose sockets keep a deadline.

The read time limit of `requests` counts for each piece received: a server that sends a byte now and
then is never cut off. Here every wait for bytes (headers, chunk sizes, body, with TLS or without)
is bounded by one moment that the calling thread set for the whole call.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from common.private_hosts import GuardedConnection


class _Here(threading.local):
    until: float | None = None


_here = _Here()


class Deadline:
    """The moment (`time.monotonic`) until which this thread waits for bytes; it moves as the call
    gets on.
    """

    def move(self, until: float) -> None:
        _here.until = until

    @property
    def is_over(self) -> bool:
        return _here.until is not None and time.monotonic() >= _here.until


@contextmanager
def waiting_until(until: float) -> Iterator[Deadline]:
    _here.until = until
    try:
        yield Deadline()
    finally:
        _here.until = None


def _bound_wait(waiting: socket.socket) -> None:
    if _here.until is None:
        return
    seconds = _here.until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("deadline")
    waiting.settimeout(seconds)


class _Socket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _bound_wait(self)
        return super().recv_into(*args, **kwargs)


class _TLSSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _bound_wait(self)
        return super().recv_into(*args, **kwargs)


class _Connection(GuardedConnection):
    def connect(self) -> None:
        super().connect()
        plain = self.sock
        assert plain is not None
        seconds = plain.gettimeout()
        self.sock = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self.sock.settimeout(seconds)


class _TLSConnection(GuardedConnection, HTTPSConnection):
    """The address is checked as without TLS; the context makes our sockets."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """Our sockets in; and no retries: the gateway is the one place that asks again, by asking the
    next model.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.sslsocket_class = _TLSSocket
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """A redirect is an answer like any other: following it could carry the
        key to another host.
        """


def _model_session() -> requests.Session:
    made = _Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=16, pool_maxsize=256, max_retries=0)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


session = _model_session()
