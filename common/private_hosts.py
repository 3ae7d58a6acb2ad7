"""Addresses inside our own network, which nobody reaches by typing them into a form.

An address of a model is typed by staff, and we call it with a key: a name may lead to a database, a
router or the cloud's metadata. Names are looked up once, checked, and that very address is
connected to: a name that resolves differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What is handed out to everybody. The rest of IPv6 leads inside: old site-local addresses, a
# network's own NAT64.
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")


class PrivateAddress(Exception):
    """The host is in a private network and is not listed."""


class GuardedConnection(HTTPConnection):
    """Connects to public addresses, and to private ones whose host is listed."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = permitted_addresses(self.host, self.port)
        except PrivateAddress as error:
            raise NewConnectionError(
                self, "private address, not in ALLOWED_PRIVATE_HOSTS"
            ) from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"unknown host: {error}") from error
        try:
            return self._connected_to(addresses)
        finally:
            self._dns_host = name

    def _connected_to(self, addresses: Sequence[str]) -> socket.socket:
        """The first of the checked addresses that answers; its certificate is still checked for the
        name.
        """
        for address in addresses[:-1]:
            self._dns_host = address
            try:
                return super()._new_conn()
            except NewConnectionError:
                continue
        self._dns_host = addresses[-1]
        return super()._new_conn()


def permitted_addresses(host: str, port: int | None) -> list[str]:
    """What the name means now. Raises PrivateAddress when one of them is private and the host is
    not listed.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not is_listed(host, port) and any(map(is_private, addresses)):
        raise PrivateAddress(host)
    return addresses


def is_private(address: str) -> bool:
    """Whatever is not for everybody: private, loopback, link-local, shared, reserved, multicast."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = _ipv4_inside(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    if inner is not None:
        ip = inner
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _PUBLIC_IPV6:
        return True
    return not ip.is_global or ip.is_multicast


def _ipv4_inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def is_listed(host: str, port: int | None) -> bool:
    name = host.strip("[]").rstrip(".").lower()
    listed = {entry.strip().lower() for entry in settings.ALLOWED_PRIVATE_HOSTS}
    if {name, f"{name}:{port}"} & listed:
        return True
    return (name, port) in {_place(url) for url in settings.URLS_OF_THE_ENVIRONMENT if url}


def _place(url: str) -> tuple[str, int | None]:
    """Host and port of an address, or of nothing usable."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").rstrip(".").lower(), parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", None


def refuse_private(url: str) -> None:
    """For a form: raises PrivateAddress. A name that is unknown now is looked at again when it is
    connected to.
    """
    host, port = _place(url)
    try:
        permitted_addresses(host, port)
    except (OSError, UnicodeError):
        return


def same_place(url: str, other: str) -> bool:
    """Whether a key that was stored for one address may be sent to the other."""
    return (urlsplit(url).scheme, _place(url)) == (urlsplit(other).scheme, _place(other))
