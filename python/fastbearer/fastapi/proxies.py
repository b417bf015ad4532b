"""What trusted proxies say of a request: whose it is, in X-Forwarded-For or Forwarded.

Such a header is read from its end, and no further than a few thousand bytes: what
trusted proxies have written is there, and what is before it anybody may have sent.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fastbearer.fastapi.settings import Network, Settings

__all__ = ["UNKNOWN", "Peer", "Proxies", "peer_of", "read_node"]

UNKNOWN = "unknown"
READ_BYTES = 8192
"""How much of a header is read; each hop of a proxy takes some fifty bytes."""
MOST_HOPS = 100
"""How many hops are looked at; nobody has so many proxies."""

Address = IPv4Address | IPv6Address
Peer = Address | str | None
"""Who is connected, or is named as such; None over a unix socket."""

BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9A-Za-z._-]{1,32})?")
WITH_PORT = re.compile(r"([0-9.]+):[0-9A-Za-z._-]{1,32}")
PAIR = re.compile(
    r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*(?=[;,]|$)"""
)
"""A parameter of the header Forwarded (RFC 7239 4)."""


class Proxies:
    """The proxies that are believed about their clients.

    Args:
        settings: Asked when needed; they name the proxies.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    @cached_property
    def _networks(self) -> tuple[Network, ...]:
        return self._settings().proxies()

    def trust(self, peer: Peer) -> bool:
        """Tell whether somebody is one of them."""
        if peer is None:
            return self._settings().trusts_unix_sockets
        if isinstance(peer, str):
            return False
        return any(peer in network for network in self._networks)

    def header(self, scope: Mapping[str, Any]) -> tuple[str, list[bytes]]:
        """Return the name of the header that counts, and its lines, unread.

        Args:
            scope: ASGI's, of a request or a WebSocket.
        """
        lines = _lines(scope, b"x-forwarded-for")
        if lines and self._settings().forwarded_header == "x-forwarded-for":
            return "X-Forwarded-For", lines
        return "Forwarded", _lines(scope, b"forwarded")

    def hops(self, scope: Mapping[str, Any]) -> list[str]:
        """Return the nodes that the end of that header names, the nearest one last."""
        name, lines = self.header(scope)
        ends = _ends(lines)
        if name == "Forwarded":
            hops = [node for line in ends for node in forwarded_nodes(line)]
        else:
            parts = (part.strip() for line in ends for part in line.split(","))
            hops = list(filter(None, parts))
        return hops[-MOST_HOPS:]

    def client(self, peer: Peer, hops: Sequence[str]) -> Peer:
        """Return the first hop that no trusted proxy is (RFC 7239 5.2 and 8.1).

        Args:
            peer: Who is connected.
            hops: As `hops` returns them.
        """
        left = list(hops)
        while left and self.trust(peer):
            peer = self._peer(left.pop())
        return peer

    def _peer(self, text: str) -> Peer:
        """Return a hop; nginx names a client over a unix socket "unix:"."""
        if is_unix(text) and self._settings().trusts_unix_sockets:
            return None
        return _node(text)


def peer_of(scope: Mapping[str, Any]) -> Peer:
    """Return who is connected, as the server says it."""
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


def _lines(scope: Mapping[str, Any], name: bytes) -> list[bytes]:
    return [value for one, value in scope["headers"] if one == name]


def _ends(lines: Sequence[bytes]) -> list[str]:
    """Return the last lines of a header, together no longer than what is read of it.

    Of a line that does not fit, the hops are left out that are not whole.
    """
    left, ends = READ_BYTES, []
    for line in reversed(lines):
        whole = len(line) <= left
        end = line if whole else line[-left:].partition(b",")[2]
        ends.append(end.decode("latin-1"))
        left -= len(line) + 1
        if left <= 0:
            break
    return ends[::-1]


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
