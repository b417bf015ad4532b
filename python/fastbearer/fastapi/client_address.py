"""Whose request it is: the address of a client, also where proxies are before it."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import re
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fastbearer.fastapi import Settings
    from fastbearer.fastapi.settings import Network

__all__ = ["UNKNOWN", "ClientAddresses", "read_node"]

UNKNOWN = "unknown"
IPV6_PREFIX = 64  # what one customer has: RFC 6177 2
LONGEST_NODE = 64
FURTHEST_HOP = 8

Address = IPv4Address | IPv6Address
Peer = Address | str | None

BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9A-Za-z._-]{1,32})?")
WITH_PORT = re.compile(r"([0-9.]+):[0-9A-Za-z._-]{1,32}")
PAIR = re.compile(
    r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*(?=[;,]|$)"""
)
"""A parameter of the header Forwarded (RFC 7239 4)."""

UNTRUSTED = (
    "%s comes from %s, which TRUSTED_PROXIES does not name: if that is your proxy, all"
    " of its clients count as one"
)
UNREADABLE = "a client is named %r, which is no address: it is counted by that name"
UNNAMED = "the trusted proxy %s names no client: all of its clients count as one"
NOBODY = (
    "a request has no address, as over a unix socket: it is not limited by address;"
    " TRUSTED_PROXIES=unix trusts what such a proxy says"
)

logger: logging.Logger = logging.getLogger("fastbearer")


class ClientAddresses:
    """Tells the clients apart, as far as trusted proxies can be believed.

    Args:
        settings: Asked when needed; they name the proxies.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._told: set[str] = set()

    @cached_property
    def _networks(self) -> tuple[Network, ...]:
        return self._settings().proxies()

    def of(self, scope: Mapping[str, Any]) -> str | None:
        """Return what is counted as one client, or None where nobody can tell.

        An address; of IPv6, the network. The header is read from its end, as far as
        trusted proxies have written it (RFC 7239 5.2 and 8.1), and not at all where
        the request comes from none of them. What a trusted proxy says and we cannot
        read still tells its clients apart.

        Args:
            scope: ASGI's, of a request or a WebSocket.
        """
        peer = _peer(scope)
        header, hops = self._hops(scope)
        if not self._is_proxy(peer):
            # A server that has read the header itself has the client here already.
            near = map(self._hop, hops[-FURTHEST_HOP:])
            if hops and peer is not None and peer not in near:
                self._tell(UNTRUSTED, header, peer)
            return self._counted(peer)
        if not hops:
            self._tell(UNNAMED, "unix" if peer is None else peer)
        while hops and self._is_proxy(peer):
            peer = self._hop(hops.pop())
        return self._counted(peer)

    def _hops(self, scope: Mapping[str, Any]) -> tuple[str, list[str]]:
        """Return the header that counts, and what it says, the nearest one last."""
        found: dict[bytes, list[str]] = {b"x-forwarded-for": [], b"forwarded": []}
        for name, value in scope["headers"]:
            if name in found:
                found[name].append(value.decode("latin-1"))
        lines = found[b"x-forwarded-for"]
        if lines and self._settings().forwarded_header == "x-forwarded-for":
            parts = (part.strip() for line in lines for part in line.split(","))
            return "X-Forwarded-For", list(filter(None, parts))
        lines = found[b"forwarded"]
        return "Forwarded", [node for line in lines for node in forwarded_nodes(line)]

    def _hop(self, text: str) -> Peer:
        """Return a hop; nginx names a client over a unix socket "unix:"."""
        if is_unix(text) and self._settings().trusts_unix_sockets:
            return None
        return _node(text)

    def _is_proxy(self, peer: Peer) -> bool:
        if peer is None:
            return self._settings().trusts_unix_sockets
        if isinstance(peer, str):
            return False
        return any(peer in network for network in self._networks)

    def _counted(self, peer: Peer) -> str | None:
        if peer is None:
            self._tell(NOBODY)
            return None
        if isinstance(peer, str):
            self._tell(UNREADABLE, peer[:LONGEST_NODE])
            return f"unreadable-{hashlib.sha256(peer.encode()).hexdigest()[:16]}"
        if isinstance(peer, IPv4Address):
            return str(peer)
        return str(ipaddress.ip_network((int(peer), IPV6_PREFIX), strict=False))

    def _tell(self, text: str, *values: object) -> None:
        """Warn once of each kind: a request must not be able to fill a log."""
        if text not in self._told:
            self._told.add(text)
            logger.warning(text, *values)


def _peer(scope: Mapping[str, Any]) -> Peer:
    """Return who is connected; None over a unix socket."""
    client = scope.get("client")
    host = client[0] if client else ""
    return None if not host or is_unix(host) else _node(host)


def is_unix(host: str) -> bool:
    """Tell whether what stands for an address is a unix socket, or its path."""
    return host == "unix" or host.startswith(("/", "unix:"))


def _node(text: str) -> Address | str:
    found = read_node(text)
    return text if found is None else found


def read_node(text: str) -> Address | None:
    """Return the address of a node, or None (RFC 7239 6).

    With or without a port; IPv6 with or without brackets, as X-Forwarded-For has
    it. An IPv4 address that is mapped into IPv6 is what it stands for.
    """
    found = BRACKETED.fullmatch(text) or WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(text if found is None else found[1])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def forwarded_nodes(line: str) -> Iterator[str]:
    """Yield what the elements of a header Forwarded say in ``for``, in their order.

    An element that says nothing there, or that cannot be read, is yielded as
    "unknown": it is a hop all the same.
    """
    line = line.strip()
    place, node, is_empty = 0, UNKNOWN, True
    while found := PAIR.match(line, place):
        is_empty = False
        if found[1].lower() == "for":
            node = re.sub(r"\\(.)", r"\1", found[2].removeprefix('"').removesuffix('"'))
        place = found.end() + 1
        if line[found.end() : place] == ",":
            yield node
            node, is_empty = UNKNOWN, True
    if place < len(line) or not is_empty:
        yield UNKNOWN if place < len(line) else node
