"""The cookies of Better Auth: their names, their pieces, and their attributes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from fastbearer._core import cookie_values
from fastbearer.errors import ConfigurationError, MalformedTokenError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CookieJar", "CookieNames", "SameSite", "set_cookies"]

SameSite = Literal["lax", "strict", "none"]

SECURE = "__Secure-"
PIECES_MAX = 100
DIGITS_MAX = 2  # of the number of a piece, from 0 to 99
COOKIE_BYTES_MAX = 4050  # of a whole Set-Cookie header, as Better Auth counts
DATA_BYTES_MAX = PIECES_MAX * COOKIE_BYTES_MAX

PREFIX = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 6265 4.1.1: a token

WRONG_PREFIX = "cookie_prefix has characters that the name of a cookie must not have"
TWICE = "a cookie was sent twice, with different values"
TORN = "the pieces of the session data are not complete"


class CookieNames:
    """The names of a server's cookies.

    Args:
        prefix: Their prefix, like ``better-auth``.
        secure: Whether only names that begin with ``__Secure-`` count. Without
            it, they are preferred to the names that lack it.

    Raises:
        ConfigurationError: The prefix has characters that a name must not have.
    """

    def __init__(self, prefix: str, *, secure: bool) -> None:
        if PREFIX.fullmatch(prefix) is None:
            raise ConfigurationError(WRONG_PREFIX)
        self.own = f"{SECURE if secure else ''}{prefix}."
        self._raw = f"{prefix}.".encode()
        self._secure = f"{SECURE}{prefix}."
        self._mark = f"{self._secure}session_token"

    def find(self, headers: Sequence[Sequence[bytes]]) -> CookieJar:
        """Return the cookies of a request.

        Args:
            headers: ASGI's: pairs of bytes, the names in lower case.

        Raises:
            MalformedTokenError: A cookie was sent twice, with different values.
        """
        try:
            values = cookie_values(headers, self._raw)
        except ValueError:
            raise MalformedTokenError(TWICE) from None
        return CookieJar(values, self._secure if self._mark in values else self.own)


class CookieJar:
    """The cookies of one request.

    Args:
        values: Name -> value.
        prefix: What the names begin with.
    """

    __slots__ = ("_prefix", "_values", "session_token")

    def __init__(self, values: dict[str, str], prefix: str) -> None:
        self._values = values
        self._prefix = prefix
        self.session_token = values.get(prefix + "session_token") or None

    @property
    def session_data(self) -> str | None:
        """The value of ``session_data``, its pieces joined, or None.

        Raises:
            MalformedTokenError: A piece is missing, or there are too many pieces.
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
            if len(number) > DIGITS_MAX or (number[0] == "0" and number != "0"):
                raise MalformedTokenError(TORN)
            pieces[int(number)] = value
        if sorted(pieces) != list(range(len(pieces))):
            raise MalformedTokenError(TORN)
        return "".join(pieces[number] for number in range(len(pieces)))


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
        ValueError: The value is too long, even in pieces.
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
