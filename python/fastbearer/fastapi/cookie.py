"""Tokens in cookies, and what keeps other sites from using them."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any

from fastapi import HTTPException
from starlette.responses import Response

from fastbearer._core import cookie_values
from fastbearer.better_auth.cookies import SameSite
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.challenges import invalid_request
from fastbearer.fastapi.cross_site import WithoutOrigin, check_origin
from fastbearer.fastapi.refusal_log import log_refusal

__all__ = ["TWO_COOKIES", "TokenCookie", "named_cookies"]

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 6265 4.1.1: a token
WRONG_NAME = "cookies must be a list of names of cookies"

SCHEME = re.compile(r"bearer(?: +|%20)", re.IGNORECASE)
"""FastAPI's template writes ``"Bearer <token>"``; JavaScript escapes the space."""

TWO_COOKIES = "More than one token cookie"
MOST_VALUES = 4
"""How many values of one cookie are judged. A browser has few: of this host and its
domain, and of a path or two (RFC 6265 5.3)."""
TOO_MANY = ("?",) * (MOST_VALUES + 1)
"""Stands for more values than the core reads, which is more than are judged."""


class TokenCookie:
    """One cookie with a token.

    Those that we set are out of reach for scripts. With ``secure`` their name begins
    with ``__Host-`` (RFC 6265bis 4.1.3.2): a browser takes it only over HTTPS and for
    this host alone, so no other host of the domain can plant one.

    Args:
        name: Its name, without the prefix.
        secure: Only over HTTPS. Without it there is no prefix either.
        same_site: When browsers send it from other sites.
        trusted_origins: Other origins whose pages may send it, like
            ``https://app.example.com``.
        requests_without_origin: What happens to requests that change something and do
            not say where they come from.
        is_foreign: Whether somebody else sets it: then the name is the whole one, and
            the scheme may stand before the token.
    """

    def __init__(
        self,
        name: str,
        *,
        secure: bool = True,
        same_site: SameSite = "lax",
        trusted_origins: frozenset[str] = frozenset(),
        requests_without_origin: WithoutOrigin = "refuse",
        is_foreign: bool = False,
    ) -> None:
        self.name: str = f"__Host-{name}" if secure and not is_foreign else name
        self._raw_name = self.name.encode()
        self._secure = secure
        self._same_site: SameSite = same_site
        self._trusted: Container[bytes] = frozenset(
            origin.encode() for origin in trusted_origins
        )
        self._without_origin: WithoutOrigin = requests_without_origin
        self._is_foreign = is_foreign

    def read(self, scope: Any) -> str | None:
        """Return the cookie's value in a request, or None.

        Raises:
            HTTPException: 400 where it came with several values, 403 where another
                site may have sent it: see ``check_origin``.
        """
        tokens = self.read_few(scope)
        if len(tokens) > 1:
            raise _two_cookies()
        return tokens[0] if tokens else None

    def read_few(self, scope: Any) -> tuple[str, ...]:
        """Return the cookie's values as `read_all` does, without challenges.

        Raises:
            HTTPException: 400 where there are too many, 403 as `read_all`.
        """
        try:
            return self.read_all(scope)
        except ValueError:
            raise _two_cookies() from None

    def read_all(self, scope: Any) -> tuple[str, ...]:
        """Return the cookie's values in a request, each once, but for empty ones.

        A browser may have several of one name, of which some are older, and does not
        say which (RFC 6265 5.4).

        Raises:
            ValueError: There are more of them than anybody judges.
            HTTPException: 403 where another site may have sent it: see
                ``check_origin``.
        """
        tokens = self._values(scope)
        if not tokens:
            return ()
        self.check_origin(scope)
        if len(tokens) > MOST_VALUES:
            raise ValueError("too many cookies of one name")
        return tokens

    def is_in(self, scope: Any) -> bool:
        """Tell whether a request has the cookie, with any value but an empty one.

        However many there are: too many are not none.
        """
        return bool(self._values(scope))

    def _values(self, scope: Any) -> tuple[str, ...]:
        try:
            found = cookie_values(scope["headers"], self._raw_name, True)
        except ValueError:
            return TOO_MANY
        value = found.get(self.name, ())
        values = (value,) if isinstance(value, str) else value
        return tuple(dict.fromkeys(filter(None, map(self._token, values))))

    def _token(self, value: str) -> str:
        found = SCHEME.match(value) if self._is_foreign else None
        return value if found is None else value[found.end() :]

    def check_origin(self, scope: Any) -> None:
        """Refuse a request that changes something and comes from elsewhere.

        Raises:
            HTTPException: 403.
        """
        check_origin(scope, self._trusted, self._without_origin)

    def set(self, response: Response, token: str, seconds: int) -> None:
        """Let the client keep the token, for that many seconds."""
        response.set_cookie(
            self.name,
            token,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite=self._same_site,
        )

    def clear(self, response: Response) -> None:
        """Let the client forget the token."""
        self.set(response, "", 0)


def _two_cookies() -> HTTPException:
    log_refusal("invalid_request", "two_cookies")
    return invalid_request(TWO_COOKIES)


def named_cookies(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of cookies that somebody else sets.

    Raises:
        ConfigurationError: They are not a list of such names.
    """
    if isinstance(names, (str, bytes)):
        raise ConfigurationError(WRONG_NAME)
    found = tuple(names)
    if not all(isinstance(one, str) and NAME.fullmatch(one) for one in found):
        raise ConfigurationError(WRONG_NAME)
    return found
