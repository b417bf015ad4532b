"""The cookies of Better Auth: their names, their pieces, and their attributes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from fastbearer._core import cookie_values
from fastbearer.errors import ConfigurationError, MalformedTokenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CookieJar", "CookieNames", "SameSite", "set_cookies"]

SameSite = Literal["lax", "strict", "none"]

SECURE = "__Secure-"
PIECES_MAX = 100
COOKIE_BYTES_MAX = 4050  # of a whole Set-Cookie header, as Better Auth counts
DATA_BYTES_MAX = PIECES_MAX * COOKIE_BYTES_MAX
HEADER_BYTES_MAX = 2 * DATA_BYTES_MAX  # of all cookies: twice the longest data
HINT_BYTES_MAX = 16384
"""More cookies than these are not searched for a hint."""

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 6265 4.1.1: a token
PIECE = re.compile(r"\.(0|[1-9][0-9]?)")
"""The end of a piece's name, as the server writes it: from .0 to .99."""

NAMED = ("session_token", "session_data")
OTHER_NAMES = re.compile(
    r"session_token_multi-|(?:state|two_factor|trust_device|remember|admin_session)$"
)
LIKE_A_NAME = re.compile(r"(?:__Secure-|__Host-)?[\w-]*[._-]?session_token", re.ASCII)
LIKE_A_VALUE = re.compile(r"[A-Za-z0-9]{32}\.[A-Za-z0-9+/%]{43,}(?:=|%3[Dd])")
SHOWN_MAX = 80  # characters of a name that somebody else chose

WRONG_PREFIX = "cookie_prefix has characters that the name of a cookie must not have"
WRONG_NAMES = (
    "cookie_names says what session_token and session_data are called, without"
    " __Secure-, in characters that the name of a cookie may have"
)
MANY = "a cookie was sent too often, each time with another value"
LONG = "the cookies are too long, all together"
TORN = "the pieces of the session data are not complete"


class CookieNames:
    """The names of a server's cookies.

    Args:
        prefix: What they begin with, like ``better-auth``.
        secure: Whether only names that begin with ``__Secure-`` count. Without
            it, they are preferred to the names that lack it.
        names: What ``session_token`` and ``session_data`` are called where a server
            has named them itself (``advanced.cookies``).

    Attributes:
        session_token: The name under which the server sets it.
        session_data: The same of the session data.

    Raises:
        ConfigurationError: A name has characters that it must not have.
    """

    def __init__(
        self, prefix: str, *, secure: bool, names: Mapping[str, str] | None = None
    ) -> None:
        if NAME.fullmatch(prefix) is None:
            raise ConfigurationError(WRONG_PREFIX)
        named = {} if names is None else dict(names)
        if not named.keys() <= set(NAMED) or not all(map(_is_name, named.values())):
            raise ConfigurationError(WRONG_NAMES)
        token, data = (named.get(one, f"{prefix}.{one}") for one in NAMED)
        mark = SECURE if secure else ""
        self.session_token: str = f"{mark}{token}"
        self.session_data: str = f"{mark}{data}"
        self._secure = f"{SECURE}{token}", f"{SECURE}{data}"
        # One look suffices where both begin alike.
        sought = {token, data} if named else {f"{prefix}.session_"}
        self._sought, *self._further = [name.encode() for name in sought]

    def find(self, headers: Sequence[Sequence[bytes]]) -> CookieJar:
        """Return the cookies of a request.

        Args:
            headers: ASGI's: pairs of bytes, the names in lower case.

        Raises:
            MalformedTokenError: A cookie was sent too often, or they are too long.
        """
        if _bytes_of(headers) > HEADER_BYTES_MAX:
            raise MalformedTokenError(LONG)
        try:
            values = cookie_values(headers, self._sought)
            for sought in self._further:
                values |= cookie_values(headers, sought)
        except ValueError:
            raise MalformedTokenError(MANY) from None
        if self._secure[0] in values:
            return CookieJar(values, *self._secure)
        return CookieJar(values, self.session_token, self.session_data)

    def similar(self, headers: Sequence[Sequence[bytes]]) -> str | None:
        """Return the name of a cookie that could be the session token, for a log.

        It has such a name, or such a value; the server has other cookies, which are
        not meant.

        Args:
            headers: As in `find`, where no session token was found.
        """
        if _bytes_of(headers) > HINT_BYTES_MAX:
            return None
        try:
            every = cookie_values(headers, b"")
        except ValueError:
            return None
        for name, value in every.items():
            if len(name) > SHOWN_MAX or not _is_name(name) or OTHER_NAMES.search(name):
                continue
            is_value = isinstance(value, str) and LIKE_A_VALUE.fullmatch(value)
            if is_value or LIKE_A_NAME.fullmatch(name):
                return name
        return None


class CookieJar:
    """The cookies of one request.

    A browser may have several of one name: of the host and of its domain, of which
    one is older (RFC 6265 5.3). Each is given.

    Args:
        values: Name -> value, or several that differ.
        token: The name of the session token.
        data: The name of the session data.

    Attributes:
        session_tokens: The values of the session token, unverified.
    """

    __slots__ = ("_data", "_values", "session_tokens")

    def __init__(
        self, values: dict[str, str | list[str]], token: str, data: str
    ) -> None:
        self._values = values
        self._data = data
        self.session_tokens: list[str] = _every(values.get(token))

    @property
    def session_token(self) -> str | None:
        """The value of ``session_token``, the first of several, or None."""
        return self.session_tokens[0] if self.session_tokens else None

    @property
    def session_data(self) -> str | None:
        """The value of ``session_data``, the first of several, or None.

        Raises:
            MalformedTokenError: A piece is missing.
        """
        every = self.every_session_data()
        return every[0] if every else None

    def every_session_data(self) -> list[str]:
        """Return the values of ``session_data``: whole ones, and pieces joined.

        Names that only look like those of pieces are ignored.

        Raises:
            MalformedTokenError: There are pieces alone, and one of them is missing.
        """
        whole = _every(self._values.get(self._data))
        pieces = self._pieces()
        if not pieces:
            return whole
        joined = _joined(pieces)
        if not (whole or joined):
            raise MalformedTokenError(TORN)
        return list(dict.fromkeys((*whole, *joined)))

    def _pieces(self) -> dict[int, list[str]]:
        start = len(self._data)
        found = {}
        for name, value in self._values.items():
            number = PIECE.fullmatch(name, start)
            if number is not None and name.startswith(self._data):
                found[int(number[1])] = _every(value)
        return found


def _bytes_of(headers: Sequence[Sequence[bytes]]) -> int:
    """Return how long the cookies of a request are."""
    return sum(len(value) for name, value in headers if name == b"cookie")


def _every(value: str | list[str] | None) -> list[str]:
    """Return what was sent under a name, but for nothing at all."""
    if not value:
        return []
    if isinstance(value, str):
        return [value]
    return [one for one in value if one]


def _joined(pieces: dict[int, list[str]]) -> list[str]:
    """Return what pieces may be joined to; several may have come of one number.

    Browsers send cookies in an order of their own, but the pieces of one value alike:
    so they are all the first of their number, or all the last. The other value may
    have had more pieces, or fewer.
    """
    twice = {number: values for number, values in pieces.items() if len(values) > 1}
    sets = [pieces] if len(twice) in (0, len(pieces)) else [pieces, twice]
    return [
        "".join(some[number][which] for number in range(len(some)))
        for some in sets
        for which in ((0, -1) if twice else (0,))
        if some.keys() == set(range(len(some))) and all(some.values())
    ]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


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
