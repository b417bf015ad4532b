"""What keeps other sites from using a cookie."""

from typing import Any

from fastbearer.fastapi.challenges import cross_site

__all__ = ["SAFE_METHODS", "check_origin"]

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))  # RFC 9110 9.2.1


def check_origin(scope: Any, trusted: frozenset[bytes]) -> None:
    """Refuse a request that changes something and comes from elsewhere.

    A WebSocket counts as such a request. The browser says where it comes from: in
    ``Sec-Fetch-Site``, or ``Origin``. A request that has neither is refused, too.

    Args:
        scope: ASGI's.
        trusted: Other origins that may send it.

    Raises:
        HTTPException: 403.
    """
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"")
    if sum(name == b"origin" for name, _ in scope["headers"]) > 1:
        raise cross_site()
    if origin in trusted:
        return
    site = headers.get(b"sec-fetch-site")
    if site is None:
        has_host = bool(origin and headers.get(b"host"))
        is_same = has_host and origin == _own_origin(scope, headers)
    else:
        is_same = site == b"same-origin"
    if not is_same:
        raise cross_site()


def _own_origin(scope: Any, headers: dict[bytes, bytes]) -> bytes:
    scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
    return f"{scheme}://".encode() + headers.get(b"host", b"")
