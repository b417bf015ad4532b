"""The URL of a request, as its client has seen it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastbearer.urls import MAX_CHARACTERS, read_url

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

    Its parts are judged one by one: a client chooses path and ``Host`` at will, and
    none of them may end the URL, or go on with another part of it.

    Args:
        scope: ASGI's, of a request or a WebSocket.
        base: Origin and path prefix of this service, as its clients see them. Without
            it, the origin is the server's scheme and the header ``Host``. Where the
            prefix is empty, it is ``root_path``.

    Returns:
        None where the request does not say.
    """
    if max(len(scope["path"]), len(scope.get("raw_path") or b"")) > MAX_CHARACTERS:
        return None
    origin, prefix = base or (_origin(scope), "")
    if origin is None:
        return None
    # A mount adds its own path to root_path, and keeps what was there before.
    root = quote(scope.get("app_root_path", scope.get("root_path", "")), NOT_ESCAPED)
    root = _same_escapes(root.rstrip("/"))
    path = _same_escapes(_path(scope))
    if root and f"{path}/".startswith(f"{root}/"):
        # Servers differ in whether their path has the prefix of a proxy.
        path = path[len(root) :]
    whole = f"{_same_escapes(prefix) or root}{path}"
    if whole and not whole.startswith("/"):
        return None  # like "*", or a whole URL (RFC 9112 3.2)
    found = read_url(f"{origin}{whole}")
    if found is None or (found.origin, found.path) != (origin, whole):
        return None
    return f"{origin}{whole or '/'}"


def normalised(url: str) -> str | None:
    """Return a URL in the form in which two are compared (RFC 3986 6.2.2, 6.2.3).

    Scheme and host are in lower case, a standard port is left out, an empty path is
    "/", and escapes are in upper case where they are needed, and undone otherwise. Dot
    segments stay: a client has removed them before it sends a request. Query and
    fragment are left out, as of the ``htu`` of a proof (RFC 9449 4.3). The schemes of
    WebSockets are those of HTTP.

    Returns:
        None where it is not an absolute URL of ASCII, or has a user in it.
    """
    text = url.partition("#")[0].partition("?")[0]
    if text[:2].lower() == "ws":
        text = "http" + text[2:]
    found = read_url(text)
    if found is None or found.has_user:
        return None
    return f"{found.origin}{_same_escapes(found.path) or '/'}"


def _origin(scope: Mapping[str, Any]) -> str | None:
    """Return the origin that a request names, if its ``Host`` is one and no more."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:  # RFC 9112 3.2
        return None
    host = hosts[0].decode("latin-1")
    if any(mark in host for mark in "/?#@"):
        return None
    scheme = scope["scheme"]
    if scheme in ("ws", "wss"):
        scheme = scheme.replace("ws", "http")
    found = read_url(f"{scheme}://{host}")
    return None if found is None else found.origin


def _path(scope: Mapping[str, Any]) -> str:
    """Return the path as it came, where it is one; else that which is routed by.

    A "?" or "#" is none of a path as it came, whatever a server has made of it.
    """
    raw: bytes | None = scope.get("raw_path")
    if raw and not (b"?" in raw or b"#" in raw):
        return raw.decode("latin-1")
    return quote(scope["path"], NOT_ESCAPED)


def _same_escapes(path: str) -> str:
    return ESCAPE.sub(_escape, path)


def _escape(found: re.Match[str]) -> str:
    character = chr(int(found[0][1:], 16))
    return character if UNRESERVED.fullmatch(character) else found[0].upper()
