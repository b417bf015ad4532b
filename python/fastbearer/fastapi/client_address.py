"""Whose request it is: the address of a client, also where proxies are before it."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from fastbearer.fastapi.proxies import UNKNOWN, Peer, Proxies, peer_of, read_node

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from fastbearer.fastapi import Settings

__all__ = ["UNKNOWN", "ClientAddresses", "read_node"]

IPV6_PREFIX = 64  # what one customer has: RFC 6177 2
LONGEST_NODE = 64

KEPT = "fastbearer.client"
"""Where a scope has what has been found out already, and by whom."""

UNTRUSTED = (
    "%s comes from %s, which TRUSTED_PROXIES does not name: if that is your proxy, all"
    " of its clients count as one"
)
UNREADABLE = "a client is named %r, which is no address: it is counted by that name"
UNNAMED = "the trusted proxy %s names no client: all of its clients count as one"
OVERRULED = (
    "FORWARDED_HEADER=forwarded, but the server has taken a client from"
    " X-Forwarded-For, which the client may have written: all such requests count as"
    " one; start uvicorn with --no-proxy-headers"
)
NOBODY = (
    "a request has no address, as over a unix socket: it is not limited by address;"
    " TRUSTED_PROXIES=unix trusts what such a proxy says"
)

logger: logging.Logger = logging.getLogger("fastbearer")


class ClientAddresses:
    """Tells the clients apart, as far as trusted proxies can be believed.

    Args:
        settings: Asked when needed; they name the proxies.

    Attributes:
        proxies: What is believed about clients.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self.proxies: Proxies = Proxies(settings)
        self._told: set[str] = set()

    def of(self, scope: MutableMapping[str, Any]) -> str | None:
        """Return what is counted as one client, or None where nobody can tell.

        An address; of IPv6, the network. The header is read from its end, as far as
        trusted proxies have written it (RFC 7239 5.2 and 8.1), and not at all where
        the request comes from none of them. What a trusted proxy says and we cannot
        read still tells its clients apart. All are one whom a server has taken from a
        header that clients write. It is found out once a request.

        Args:
            scope: ASGI's, of a request or a WebSocket.
        """
        kept: tuple[object, str | None] = scope.get(KEPT, (None, None))
        if kept[0] is not self:
            kept = scope[KEPT] = self, self._found(scope)
        return kept[1]

    def _found(self, scope: MutableMapping[str, Any]) -> str | None:
        if self.proxies.are_overruled(scope):
            if self._is_new(OVERRULED):
                logger.error(OVERRULED)
            return UNKNOWN
        return self._counted(self._client(scope))

    def _client(self, scope: MutableMapping[str, Any]) -> Peer:
        peer = peer_of(scope)
        if not self.proxies.trust(peer):
            self._tell_of_header(scope, peer)
            return peer
        hops = self.proxies.hops(scope)
        if not hops:
            self._tell(UNNAMED, "unix" if peer is None else peer)
        return self.proxies.client(peer, hops)[0]

    def _tell_of_header(self, scope: MutableMapping[str, Any], peer: Peer) -> None:
        """Warn of a header from somebody who is not trusted; it is not parsed.

        A server that has read it itself has the client in place of the proxy.
        """
        if peer is None or UNTRUSTED in self._told:
            return
        name, lines = self.proxies.header(scope)
        host = scope["client"][0].encode("latin-1", "replace")
        if any(lines) and not any(host in line for line in lines):
            self._tell(UNTRUSTED, name, peer)

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
        if self._is_new(text):
            logger.warning(text, *values)

    def _is_new(self, text: str) -> bool:
        """Tell whether it is the first of its kind: no request may fill a log."""
        is_new = text not in self._told
        self._told.add(text)
        return is_new
