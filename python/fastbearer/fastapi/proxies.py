"""What trusted proxies say of a request, in X-Forwarded-For or Forwarded.

Such a header is read from its end, and no further than a few thousand bytes: what
trusted proxies have written is there, and what is before it anybody may have sent.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastbearer.fastapi.settings import Network, Settings

__all__ = ["UNKNOWN", "Peer", "Proxies", "peer_of", "read_node"]

UNKNOWN = "unknown"
READ_BYTES = 8192
"""How much of a header is read; each hop of a proxy takes some fifty bytes."""
MOST_HOPS = 100
"""How many hops are looked at; nobody has as many proxies."""

Address = IPv4Address | IPv6Address
Peer = Address | str | None
"""Who is connected, or is named as such; None over a unix socket."""

BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9A-Za-z._-]{1,32})?")
WITH_PORT = re.compile(r"([0-9.]+):[0-9A-Za-z._-]{1,32}")
NAME, VALUE = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", r""""(?:[^"\\]|\\.)*"|[^\s;,"]*"""
PAIR = re.compile(rf"\s*({NAME})=({VALUE})\s*(?:;|\Z)")
"""A parameter of the header Forwarded (RFC 7239 4)."""
ELEMENT = re.compile(rf"(?:\s*{NAME}=(?:{VALUE})\s*(?:;|\Z))+\Z")
"""What a proxy says, at the end of the header: parameters alone."""
BETWEEN = ", \t"
"""What may stand between two elements of a list (RFC 9110 5.6.1)."""


class Hop(NamedTuple):
    """What a proxy says of whoever is connected to it.

    Attributes:
        node: Their address, or another name.
        proto: The scheme of their request; "" where that is not said.
    """

    node: str
    proto: str = ""


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

    @property
    def write_forwarded_alone(self) -> bool:
        """Whether the header Forwarded is all that counts."""
        return self._settings().forwarded_header == "forwarded"

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

    def are_overruled(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether a server has taken the client from a header that does not count.

        uvicorn knows X-Forwarded-For alone, and puts what it names in the place of who
        is connected: with the port that it has there, or else with port 0. Where
        proxies write Forwarded, clients may have written the other.
        """
        host, port = scope.get("client") or ("", 0)
        if not host or not self.write_forwarded_alone:
            return False
        lines = _lines(scope, b"x-forwarded-for")
        with_port = f"[{host}]:" if ":" in host else f"{host}:"
        marks = [one.encode("latin-1", "replace") for one in (with_port, f"[{host}]:")]
        is_named = any(mark in line for line in lines for mark in marks)
        return any(lines) and (not port or is_named)

    def hops(self, scope: Mapping[str, Any]) -> list[Hop]:
        """Return the hops that the end of the header has, the nearest one last."""
        name, lines = self.header(scope)
        ends = _ends(lines)
        if name == "Forwarded":
            hops = [hop for line in ends for hop in forwarded_hops(line)]
        else:
            parts = (part.strip() for line in ends for part in line.split(","))
            hops = [Hop(part) for part in parts if part]
        return hops[-MOST_HOPS:]

    def client(self, peer: Peer, hops: Sequence[Hop]) -> tuple[Peer, str]:
        """Return the first hop that no trusted proxy is, and the scheme of its request.

        See RFC 7239 5.2, 5.4 and 8.1. The scheme is "" where the proxy to which the
        client is connected does not say it.

        Args:
            peer: Who is connected.
            hops: As `hops` returns them.
        """
        left, proto = list(hops), ""
        while left and self.trust(peer):
            hop = left.pop()
            peer, proto = self._peer(hop.node), hop.proto
        return peer, proto

    def scheme(self, scope: Mapping[str, Any]) -> str:
        """Return the scheme that trusted proxies name, in lower case, or ""."""
        peer = peer_of(scope)
        if self.are_overruled(scope) or not self.trust(peer):
            return ""
        proto = self.client(peer, self.hops(scope))[1]
        if not proto:
            last = (_lines(scope, b"x-forwarded-proto") or [b""])[-1]
            proto = last[:READ_BYTES].decode("latin-1").strip()
        return proto.lower()

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


def forwarded_hops(line: str) -> list[Hop]:
    """Return what the last elements of a header Forwarded say, in their order.

    Like the header, the line is read from its end: what a client has written before
    cannot swallow what its proxy has added, not even with a quote that it leaves open.
    An element that does not say in ``for`` who its client is, is "unknown": it is a hop
    all the same. So is all that stands before the first one that cannot be read.
    """
    hops: list[Hop] = []
    left = line.rstrip(BETWEEN)
    while left and len(hops) < MOST_HOPS:
        before, element = _last_element(left)
        hops.append(_hop(element))
        left = before.rstrip(BETWEEN)
    return hops[::-1]


def _last_element(line: str) -> tuple[str, str]:
    """Return what stands before the last element, and that; both empty without one.

    One comma at most can begin it: what follows a comma within quotes is no element,
    because the closing quote would open there.
    """
    comma = len(line)
    while comma >= 0:
        comma = line.rfind(",", 0, comma)
        if ELEMENT.match(line, comma + 1):
            return line[: max(comma, 0)], line[comma + 1 :]
    return "", ""


def _hop(element: str) -> Hop:
    said, place = dict[str, str](), 0
    while found := PAIR.match(element, place):
        said[found[1].lower()] = found[2]
        place = found.end()
    return Hop(_unquoted(said.get("for", UNKNOWN)), _unquoted(said.get("proto", "")))


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value.removeprefix('"').removesuffix('"'))
