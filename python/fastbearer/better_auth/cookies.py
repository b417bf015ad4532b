"""The cookies of Better Auth: their names, their pieces, and their attributes."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from fastbearer.errors import MalformedTokenError

__all__ = ["CookieJar", "SameSite", "set_cookies"]

SameSite = Literal["lax", "strict", "none"]

SECURE = "__Secure-"
PIECES_MAX = 100
COOKIE_BYTES_MAX = 4050  # of a whole Set-Cookie header, as Better Auth counts
DATA_BYTES_MAX = PIECES_MAX * COOKIE_BYTES_MAX

TWICE = "a cookie came twice, with different values"
TORN = "the pieces of the session data are not complete"
TOO_LONG = "the session data is too long"


class CookieJar:
    """The cookies of one request.

    Args:
        header: The request's ``Cookie``, all of them joined with ``; ``.
        names: The prefix of the names, like ``better-auth``.
        secure: Whether only names that begin with ``__Secure-`` count. Otherwise
            they come first, and those without it after them.

    Raises:
        MalformedTokenError: A cookie of those names came twice.
    """

    def __init__(self, header: str, names: str, *, secure: bool) -> None:
        self._values = _parsed(header, f"{names}.")
        bare = f"{names}.session_token"
        is_secure = secure or SECURE + bare in self._values
        self._prefix = f"{SECURE if is_secure else ''}{names}."

    @property
    def session_token(self) -> str | None:
        """The value of ``session_token``, or None."""
        return self._values.get(f"{self._prefix}session_token") or None

    @property
    def session_data(self) -> str | None:
        """The value of ``session_data``, its pieces joined, or None.

        Raises:
            MalformedTokenError: A piece is missing, or there are too many.
        """
        name = f"{self._prefix}session_data"
        whole = self._values.get(name)
        return whole or self._joined(f"{name}.") or None

    def _joined(self, prefix: str) -> str:
        pieces: dict[int, str] = {}
        for name, value in self._values.items():
            number = name.removeprefix(prefix)
            if number == name or not (number.isascii() and number.isdigit()):
                continue
            if len(number) > 1 and (number[0] == "0" or int(number) >= PIECES_MAX):
                raise MalformedTokenError(TORN)
            pieces[int(number)] = value
        if sorted(pieces) != list(range(len(pieces))):
            raise MalformedTokenError(TORN)
        return "".join(pieces[number] for number in range(len(pieces)))


def _parsed(header: str, prefix: str) -> dict[str, str]:
    """Return the cookies with our prefix (RFC 6265 5.4), unquoted."""
    if len(header) > 2 * DATA_BYTES_MAX:
        raise MalformedTokenError(TOO_LONG)
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if not (equals and name.removeprefix(SECURE).startswith(prefix)):
            continue
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if found.setdefault(name, value) != value:
            raise MalformedTokenError(TWICE)
    return found


def set_cookies(
    name: str, value: str, attributes: dict[str, Any], *, may_split: bool = False
) -> list[str]:
    """Return the ``Set-Cookie`` headers of one cookie, in pieces if it is long.

    Args:
        name: Its name.
        value: Its value, unescaped.
        attributes: ``max_age``, ``domain``, ``secure`` and ``same_site``.
        may_split: Whether it may come in pieces: ``name.0``, ``name.1``, ...

    Raises:
        ValueError: It is too long, even in pieces.
    """
    size = COOKIE_BYTES_MAX - len(_serialized(f"{name}.99", "", attributes))
    if not may_split or len(value) <= size:
        return [_serialized(name, value, attributes)]
    pieces = [value[at : at + size] for at in range(0, len(value), max(size, 1))]
    if size <= 0 or len(pieces) > PIECES_MAX:
        raise ValueError("the session data is too long for cookies")
    return [
        _serialized(f"{name}.{number}", piece, attributes)
        for number, piece in enumerate(pieces)
    ]


def _serialized(name: str, value: str, attributes: dict[str, Any]) -> str:
    parts = [f"{name}={quote(value, safe='')}"]
    if attributes.get("max_age") is not None:
        parts.append(f"Max-Age={attributes['max_age']}")
    if attributes.get("domain"):
        parts.append(f"Domain={attributes['domain']}")
    parts += ["Path=/", "HttpOnly"]
    if attributes.get("secure"):
        parts.append("Secure")
    parts.append(f"SameSite={str(attributes.get('same_site', 'lax')).title()}")
    return "; ".join(parts)
