"""Which origins a Better Auth server trusts: its ``trustedOrigins``, with wildcards.

The rules are those of ``matchesOriginPattern`` in its auth/trusted-origins, for what an
``Origin`` header has: a scheme, a host and a port. Where that would trust a host which
the pattern does not name, or what is no origin, it is not trusted here.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from fastbearer.errors import ConfigurationError
from fastbearer.urls import origin_and_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Rule = Callable[[str], bool]

__all__ = ["origins_and_rules"]

WILDCARD = re.compile(r"[*?]")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
PATTERN = re.compile(r"[!-\[\]-~]+")  # visible ASCII without the backslash
AUTHORITY = re.compile(r"(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?|")
ADDRESS_PATTERN = re.compile(r"(?=.*[0-9])[0-9*?.]+")
LIKE_AN_ADDRESS = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?", re.ASCII)
"""What ends in a number is an address to a browser (WHATWG URL 4.3), however it is
written."""

NO_APPS = frozenset(
    ("http", "https", "ftp", "ws", "wss", "file", "data", "blob", "javascript", "about")
)
"""Schemes that are of no app: those of http, and those of which no page has an origin
(WHATWG URL 4.7)."""

ORIGIN_MAX = 300  # a host has at most 253 characters (RFC 1035 2.3.4)

WRONG_ORIGIN = (
    "trusted_origins has {!r}, which no origin matches: they are like"
    " https://app.example.com, https://*.example.com, http://localhost:* or myapp://,"
    " one by one"
)


def origins_and_rules(patterns: Iterable[str]) -> tuple[list[str], list[Rule]]:
    """Return the origins that patterns name exactly, and rules for the others.

    Args:
        patterns: The server's ``trustedOrigins``.

    Raises:
        ConfigurationError: A pattern could not match any origin.
    """
    if isinstance(patterns, str):
        raise ConfigurationError(WRONG_ORIGIN.format(patterns))
    exact, rules = [], []
    for pattern in patterns:
        rule = _rule(pattern)
        if isinstance(rule, str):
            exact.append(rule)
        else:
            rules.append(rule)
    return exact, rules


def _rule(pattern: str) -> str | Rule:
    if not isinstance(pattern, str) or PATTERN.fullmatch(pattern) is None:
        raise ConfigurationError(WRONG_ORIGIN.format(pattern))
    has_wildcard = WILDCARD.search(pattern) is not None
    scheme, mark, rest = pattern.partition("://")
    rule: str | Rule | None = None
    if not mark and has_wildcard:
        rule = HostRule(pattern) if "/" not in pattern else None
    elif SCHEME.match(pattern) and scheme.lower() not in ("http", "https"):
        rule = _app_rule(pattern, has_wildcard=has_wildcard)
    elif has_wildcard:
        rule = _web_rule(scheme, rest)
    else:
        found = origin_and_path(pattern)
        rule = found[0] if found is not None and found[1] in ("", "/") else None
    if rule is None:
        raise ConfigurationError(WRONG_ORIGIN.format(pattern))
    return rule


def _web_rule(scheme: str, rest: str) -> Rule | None:
    # Of a path "/**" the server trusts more hosts than the pattern names.
    host = rest.removesuffix("/**").removesuffix("/")
    return None if "/" in host or "#" in host else WebRule(scheme, host)


class WebRule:
    """Trusts origins of http and https by a pattern of scheme, host and port."""

    def __init__(self, scheme: str, host: str) -> None:
        self._scheme = scheme
        self._host = host

    def __call__(self, origin: str) -> bool:
        """Tell whether an origin is trusted."""
        found = _web_origin(origin)
        return (
            found is not None
            and _matches(self._scheme, found[0])
            and _matches(self._host, found[1])
            and _is_address_if_asked(self._host, found[1])
        )


class HostRule:
    """Trusts hosts by a pattern, whatever their scheme."""

    def __init__(self, host: str) -> None:
        self._host = host

    def __call__(self, origin: str) -> bool:
        """Tell whether an origin is trusted."""
        found = _web_origin(origin) or _app_origin(origin)
        return (
            found is not None
            and found[1] != ""
            and _matches(self._host, found[1])
            and _is_address_if_asked(self._host, found[1])
        )


class AppRule:
    """Trusts origins of an app's own scheme.

    Args:
        scheme: In lower case.
        host: What the host must be, or "" for any.
        is_pattern: Whether the host may have wildcards.
    """

    def __init__(self, scheme: str, host: str, *, is_pattern: bool) -> None:
        self._scheme = scheme
        self._host = host
        self._is_pattern = is_pattern

    def __call__(self, origin: str) -> bool:
        """Tell whether an origin is trusted."""
        found = _app_origin(origin)
        if found is None or found[0] != self._scheme:
            return False
        if not self._host:
            return True
        if not self._is_pattern:
            return found[1] == self._host
        return _matches(self._host, found[1]) and _is_address_if_asked(
            self._host, found[1]
        )


def _app_rule(pattern: str, *, has_wildcard: bool) -> Rule | None:
    scheme, _, rest = pattern.partition(":")
    if scheme.lower() in NO_APPS:
        return None
    host, path = "", rest
    if rest.startswith("//"):
        ends = "[/#]" if has_wildcard else "[/?#]"
        host = re.split(ends, rest[2:], maxsplit=1)[0]
        path = rest[2 + len(host) :]
    path = re.split("#" if has_wildcard else "[?#]", path, maxsplit=1)[0]
    segments = _segments(path)
    if has_wildcard:
        # An origin has no path: what any path matches is left.
        takes_none = all(set(one) == {"*"} for one in segments)
        takes_none = takes_none and sum(one != "**" for one in segments) <= 1
    else:
        takes_none = not segments
    if not takes_none:
        return None
    return AppRule(scheme.lower(), host.lower(), is_pattern=has_wildcard)


def _segments(path: str) -> list[str]:
    """Return the segments of a path, those with dots resolved."""
    with suppress(UnicodeDecodeError):
        path = unquote_to_bytes(path).decode("utf-8")
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del found[-1:]
        elif segment not in ("", "."):
            found.append(segment)
    return found


def _web_origin(origin: str) -> tuple[str, str] | None:
    """Return scheme and host of an origin as a browser writes it, or None."""
    found = origin_and_path(origin) if len(origin) <= ORIGIN_MAX else None
    if found is None or found[0] != origin:
        return None
    scheme, _, host = origin.partition("://")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return (scheme, host) if _is_written_as_usual(name) else None


def _app_origin(origin: str) -> tuple[str, str] | None:
    """Return scheme and host of an app's origin, in lower case, or None."""
    scheme, mark, host = origin.lower().partition("://")
    is_app = SCHEME.fullmatch(f"{scheme}:") and scheme not in NO_APPS
    if not mark or not is_app or not origin.isascii() or len(origin) > ORIGIN_MAX:
        return None
    host = host.removesuffix("/")
    found = AUTHORITY.fullmatch(host)
    is_fit = found is not None and int(found[1] or 0) < 65536
    return (scheme, host) if is_fit else None


def _is_written_as_usual(host: str) -> bool:
    """Tell whether a host is no address in another spelling than the usual one."""
    try:
        if host.startswith("["):
            address = IPv6Address(host[1:-1])
            return address.ipv4_mapped is None and host == f"[{address.compressed}]"
        return LIKE_AN_ADDRESS.fullmatch(host) is None or str(IPv4Address(host)) == host
    except ValueError:
        return False


def _is_address_if_asked(pattern: str, host: str) -> bool:
    """Refuse a name where a pattern like ``192.168.*.*`` means addresses."""
    if ADDRESS_PATTERN.fullmatch(pattern.partition(":")[0]) is None:
        return True
    try:
        IPv4Address(host.partition(":")[0])
    except ValueError:
        return False
    return True


def _matches(pattern: str, text: str) -> bool:
    """Tell whether a string matches: ``*`` is any characters, ``?`` is one.

    Where a later part does not fit, only the last ``*`` takes more: the time is at
    most the product of both lengths.
    """
    at = place = 0
    star, taken = -1, 0
    while at < len(text):
        wanted = pattern[place] if place < len(pattern) else ""
        if wanted == "*":
            star, taken = place, at
            place += 1
        elif wanted in (text[at], "?"):
            at, place = at + 1, place + 1
        elif star >= 0:
            taken += 1
            at, place = taken, star + 1
        else:
            return False
    return not pattern[place:].strip("*")
