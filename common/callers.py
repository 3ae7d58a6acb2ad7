"""Who calls us: the peer of the connection, and what proxies say of whom they speak for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from common.networks import Network, read_address

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
# No browser sends these by itself. Each tells that somebody stands between it and us.
PROXY_HEADERS = {
    *("forwarded", "via", "cdn-loop", "true-client-ip", "client-ip"),
    *("x-client-ip", "x-cluster-client-ip", "x-real-ip", "x-host"),
}
PROXY_PREFIXES = (
    *("x-forwarded", "x-original-", "x-envoy-", "x-amzn-", "x-appengine-"),
    *("cf-", "ngrok-", "fly-", "fastly-", "tailscale-"),
)


@dataclass(frozen=True)
class Caller:
    peer: str
    host: str
    headers: frozenset[str]
    forwarded_for: str = ""

    @property
    def came_through_proxy(self) -> bool:
        return any(_is_of_a_proxy(name) for name in self.headers)

    @property
    def is_on_this_machine(self) -> bool:
        """Nobody in between, and no foreign name: a browser or a process of this very machine."""
        if self.came_through_proxy or _name_of(self.host) not in LOCAL_HOSTS:
            return False
        peer = read_address(self.peer)
        return peer is not None and peer.is_loopback

    @property
    def is_trusted_proxy(self) -> bool:
        return _is_trusted(self.peer)

    @property
    def address(self) -> str:
        """The address that the last trusted proxy saw; the peer where no proxy is trusted."""
        address = self.peer
        for hop in reversed(self.forwarded_for.split(",")):
            if not _is_trusted(address) or read_address(hop) is None:
                break
            address = hop
        found = read_address(address)
        return str(found) if found else "unknown"


def caller_of(request: HttpRequest) -> Caller:
    meta = request.META
    names = frozenset(name.lower() for name in request.headers)
    forwarded_for = meta.get("HTTP_X_FORWARDED_FOR", "")
    return Caller(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_HOST", ""), names, forwarded_for)


def caller_of_scope(scope: dict[str, Any]) -> Caller:
    """The same of an ASGI connection, such as a WebSocket."""
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    peer = (scope.get("client") or ("",))[0]
    forwarded_for = ",".join(found.get("x-forwarded-for", []))
    return Caller(peer, ",".join(found.get("host", [])), frozenset(found), forwarded_for)


def client_address(request: HttpRequest) -> str:
    return caller_of(request).address


def _is_trusted(text: str) -> bool:
    address = read_address(text)
    networks: Sequence[Network] = settings.TRUSTED_PROXIES
    return address is not None and any(address in network for network in networks)


def _is_of_a_proxy(name: str) -> bool:
    return name in PROXY_HEADERS or name.startswith(PROXY_PREFIXES)


def _name_of(host: str) -> str:
    return split_domain_port(host)[0]
