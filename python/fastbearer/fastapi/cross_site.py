"""What keeps other sites from using a cookie."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from typing import Any, Literal, get_args

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.challenges import cross_site
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.urls import origin_and_path

__all__ = [
    "SAFE_METHODS",
    "TrustedOrigins",
    "WithoutOrigin",
    "check_origin",
    "read_origin",
    "without_origin",
]

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))  # RFC 9110 9.2.1

WithoutOrigin = Literal["refuse", "allow"]
"""What happens to a request with a cookie that changes something and does not say
where it comes from: neither ``Origin`` nor ``Sec-Fetch-Site``. Browsers have sent one
of them with every such request since 2020; servers that hand a cookie on do not."""

WRONG_WITHOUT_ORIGIN = "requests_without_origin must be 'refuse' or 'allow'"

APP = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,62})://"
    r"(?P<host>|\.|[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}(?::[0-9]{1,5})?)/?"
)
"""Where the pages of an app come from: ``capacitor://localhost``. A scheme of one's own
needs no host: ``myapp://``, and ``app://.`` is what Electron's apps have made of it."""

NO_APPS = frozenset(
    (
        *("http", "https", "ws", "wss", "ftp", "file", "filesystem", "null"),
        *("about", "blob", "data", "javascript", "view-source"),
    )
)
"""Schemes of the web, whose origins have another form, and those of no one in
particular (RFC 6454 4): browsers write "null" for their origin."""

LONGEST_ORIGIN = 300
"""Bytes: a scheme, a host of at most 253 (RFC 1035 2.3.4), and a port."""

UNNAMED = "the request has a cookie, and neither Origin nor Sec-Fetch-Site"
FROM_A_SERVER = f"{UNNAMED}: REQUESTS_WITHOUT_ORIGIN=allow, if a server sends it"
UNTRUSTED = (
    "a page of another origin has sent the cookie: TRUSTED_ORIGINS says which may"
)


class TrustedOrigins(Container[bytes]):
    """Origins whose pages may send a cookie: some exactly, some by a rule.

    Args:
        exact: Like ``https://app.example.com``.
        rules: Each tells of an origin whether it is trusted. What is not ASCII, or
            longer than an origin can be, is asked of none.
    """

    def __init__(
        self, exact: Iterable[str] = (), rules: Iterable[Callable[[str], bool]] = ()
    ) -> None:
        self._exact = frozenset(origin.encode() for origin in exact)
        self._rules = tuple(rules)

    def __contains__(self, origin: object) -> bool:
        """Tell whether an origin, as the header has it, is one of them."""
        if origin in self._exact:
            return True
        if not self._rules or not isinstance(origin, bytes):
            return False
        # Whoever is named "null" is nobody in particular (RFC 6454 7.1).
        if len(origin) > LONGEST_ORIGIN or not origin.isascii() or origin == b"null":
            return False
        text = origin.decode()
        return any(rule(text) for rule in self._rules)


def read_origin(text: str) -> str | None:
    """Return an origin as browsers write it, or None where a string is not one.

    Args:
        text: ``https://app.example.com``; or that of an app, whose scheme is its own:
            ``capacitor://localhost``, ``app://bundle``, ``app://.``, ``myapp://``.
    """
    found = origin_and_path(text)
    if found is not None:
        return None if found[1].strip("/") else found[0]
    app = APP.fullmatch(text) if len(text) <= LONGEST_ORIGIN else None
    if app is None or app["scheme"].lower() in NO_APPS:
        return None
    return f"{app['scheme'].lower()}://{app['host']}"


def without_origin(value: object) -> WithoutOrigin:
    """Return the value of such an argument.

    Raises:
        ConfigurationError: It is another.
    """
    for known in get_args(WithoutOrigin):
        if value == known:
            return known  # type: ignore[no-any-return]
    raise ConfigurationError(WRONG_WITHOUT_ORIGIN)


def check_origin(
    scope: Any,
    trusted: Container[bytes],
    requests_without_origin: WithoutOrigin = "refuse",
) -> None:
    """Refuse a request that changes something and comes from elsewhere.

    A WebSocket counts as such a request. The browser says where it comes from: in
    ``Sec-Fetch-Site``, or ``Origin``. A request that has neither is refused, too,
    unless that is allowed, or it has no cookie at all: it cannot ride on one then.

    Args:
        scope: ASGI's.
        trusted: Other origins that may send it.
        requests_without_origin: What happens to those that have neither.

    Raises:
        HTTPException: 403.
    """
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return
    if sum(name == b"origin" for name, _ in scope["headers"]) > 1:
        log_refusal("cross_site", "two_origins")
        raise cross_site()
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"")
    site = headers.get(b"sec-fetch-site")
    if not origin and site is None:
        if requests_without_origin == "allow" or b"cookie" not in headers:
            return
        log_refusal("cross_site", "origin_missing", hint=FROM_A_SERVER)
        raise cross_site()
    if origin in trusted or _is_same(scope, headers, origin, site):
        return
    log_refusal("cross_site", "origin_untrusted", hint=UNTRUSTED)
    raise cross_site()


def _is_same(
    scope: Any, headers: dict[bytes, bytes], origin: bytes, site: bytes | None
) -> bool:
    if site is not None:
        return site == b"same-origin"
    return bool(headers.get(b"host")) and origin == _own_origin(scope, headers)


def _own_origin(scope: Any, headers: dict[bytes, bytes]) -> bytes:
    scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
    return f"{scheme}://".encode() + headers.get(b"host", b"")
