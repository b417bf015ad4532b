"""Tokens among the subprotocols of a WebSocket: a browser can send no other header.

``new WebSocket(url, ["bearer", token])``; the scheme may also stand in one string with
the token, ``"bearer." + token``, or as Kubernetes has it, in base64url.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, NamedTuple

from fastbearer._core import base64url_bytes
from fastbearer.errors import MalformedTokenError

__all__ = ["Offer", "echoing", "offered_token"]

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MARK = "bearer"
PREFIX = "bearer."
KUBERNETES = "base64url.bearer.authorization.k8s.io."
MOST_OFFERED = 100
"""How many subprotocols are looked at; applications know a few."""


class Offer(NamedTuple):
    """A token, and what must not be sent back.

    Attributes:
        token: As it came, but for its encoding.
        secret: The subprotocol that has it.
        mark: The subprotocol that may be named in the answer, if there is one.
    """

    token: str
    secret: str
    mark: str | None


def offered_token(scope: Any) -> Offer | None:
    """Return the token among the subprotocols that a client offers, or None.

    Args:
        scope: ASGI's, of a request or a WebSocket.

    Raises:
        ValueError: There are two.
    """
    if scope["type"] != "websocket":
        return None
    offered = (scope.get("subprotocols") or ())[:MOST_OFFERED]
    found = []
    following = iter(offered)
    for one in following:
        if one.lower() == MARK:
            token = next(following, "")
            found.append(Offer(token, token, one))
        elif one.lower().startswith(PREFIX):
            found.append(Offer(one[len(PREFIX) :], one, None))
        elif one.lower().startswith(KUBERNETES):
            found.append(Offer(_decoded(one[len(KUBERNETES) :]), one, None))
    if len(found) > 1:
        raise ValueError("more than one token among the subprotocols")
    return found[0] if found else None


def echoing(
    send: Send, offer: Offer
) -> Callable[[MutableMapping[str, Any]], Coroutine[Any, Any, None]]:
    """Return a ``send`` that answers the subprotocols of a client.

    A browser closes a connection whose answer names none of those that it has offered
    (WHATWG WebSockets 3.1). What the application chooses counts; the token is never
    sent back.
    """

    async def send_with_subprotocol(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            chosen = message.get("subprotocol")
            if chosen is None or chosen in (offer.secret, offer.token):
                message = {**message, "subprotocol": offer.mark}
        await send(message)

    return send_with_subprotocol


def _decoded(text: str) -> str:
    """Return the token, or "" where it is not base64url of ASCII: no token then."""
    try:
        return base64url_bytes(text).decode("ascii")
    except (MalformedTokenError, UnicodeDecodeError):
        return ""
