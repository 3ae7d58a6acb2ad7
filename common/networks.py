"""Addresses and networks, as settings and headers name them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def read_address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def read_networks(texts: Iterable[str]) -> list[Network]:
    """Raises ValueError at what is neither an address nor a network."""
    return [ipaddress.ip_network(text.strip(), strict=False) for text in texts]
