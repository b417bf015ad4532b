"""The URL of a request, as its client has seen it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastbearer.urls import read_url

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["normalised", "requested_url"]

ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")  # RFC 3986 2.3
NOT_ESCAPED = "/:@!$&'()*+,;=~"  # RFC 3986 3.3, beside letters, digits and -._


def requested_url(
    scope: Mapping[str, Any], base: tuple[str, str] | None = None
) -> str | None:
    """Return the URL of a request, in the form of `normalised`.

    Args:
        scope: ASGI's, of a request or a WebSocket.
        base: Origin and path prefix of this service, as its clients see them. Without
            it, the origin is the server's scheme and the header ``Host``. Where the
            prefix is empty, it is ``root_path``.

    Returns:
        None where the request does not say.
    """
    origin, prefix = base or (_origin(scope), "")
    if origin is None:
        return None
    # A mount adds its own path to root_path, and keeps what was there before.
    root = quote(scope.get("app_root_path", scope.get("root_path", "")), NOT_ESCAPED)
    root = root.rstrip("/")
    path = _path(scope)
    if root and path.startswith(f"{root}/"):
        # Servers differ in whether their path has the prefix of a proxy.
        path = path[len(root) :]
    return normalised(f"{origin}{prefix or root}{path}")


def normalised(url: str) -> str | None:
    """Return a URL in the form in which two are compared (RFC 3986 6.2.2, 6.2.3).

    Scheme and host are in lower case, a standard port is left out, an empty path is
    "/", and escapes are in upper case where they are needed, and undone otherwise. Dot
    segments stay: a client has removed them before it sends a request. Query and
    fragment are left out (RFC 9449 4.3). The schemes of WebSockets are those of HTTP.

    Returns:
        None where it is not an absolute URL of ASCII, or has a user in it.
    """
    text = url.partition("#")[0].partition("?")[0]
    if text[:2].lower() == "ws":
        text = "http" + text[2:]
    found = read_url(text)
    if found is None or found.has_user:
        return None
    return f"{found.origin}{ESCAPE.sub(_escape, found.path) or '/'}"


def _origin(scope: Mapping[str, Any]) -> str | None:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:  # RFC 9112 3.2
        return None
    return f"{scope['scheme']}://{hosts[0].decode('latin-1')}"


def _path(scope: Mapping[str, Any]) -> str:
    raw: bytes | None = scope.get("raw_path")
    if raw:
        return raw.partition(b"?")[0].decode("latin-1")
    return quote(scope["path"], NOT_ESCAPED)


def _escape(found: re.Match[str]) -> str:
    character = chr(int(found[0][1:], 16))
    return character if UNRESERVED.fullmatch(character) else found[0].upper()
