"""Where the token of a request is: its headers, its subprotocols, its cookies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from fastapi import HTTPException

from fastbearer.fastapi.challenges import (
    Challenges,
    invalid_request,
    not_authenticated,
)
from fastbearer.fastapi.cookie import TWO_COOKIES, TokenCookie
from fastbearer.fastapi.protection import Protection
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.fastapi.subprotocols import Offer, offered_token
from fastbearer.fastapi.token_header import HeaderReader, TokenHeader

__all__ = ["CHOSEN", "PROVEN", "Found", "TokenFinder"]

TWO_SUBPROTOCOLS = "More than one token among the subprotocols"
GOOD_COOKIES = "cookies of one name have different tokens, and more than one is good"
MANY_COOKIES = "there are more cookies of one name than are judged"
CHOSEN = "fastbearer.token"
"""Where a scope says which of several cookies was good."""


PROVEN = "DPoP"
"""The scheme of tokens that come with a proof of possession."""


class CookieSource(Protocol):
    """Whoever knows the cookies; asked at the first request, not earlier."""

    @property
    def protection(self) -> Protection:
        """What is said to a client that is refused."""
        ...

    @property
    def token_cookies(self) -> Sequence[TokenCookie]:
        """The cookies that may have a token; the first that came counts."""
        ...


class Found(NamedTuple):
    """What a request has in place of one header with a token.

    Attributes:
        tokens: As they came, unverified; several only of one cookie's name.
        scheme: What stood before the token in its header; None for the others.
    """

    tokens: tuple[str, ...]
    scheme: str | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the token came to be used with a proof of possession."""
        return self.scheme is not None and self.scheme.lower() == PROVEN.lower()


NOTHING = Found(())


class TokenFinder:
    """Finds the token of a request, unverified.

    Args:
        source: Knows the cookies.
        headers: The request headers that may have the token.
    """

    def __init__(self, source: CookieSource, headers: Sequence[TokenHeader]) -> None:
        self._source = source
        self._readers = [HeaderReader(one) for one in _with_proven(headers)]

    def token(self, scope: Any) -> str | None:
        """Return the token of a request, as it came, or None.

        Of several cookies it is the good one, once they have been judged.

        Raises:
            HTTPException: 400 for two, 403 for a cookie from another site.
        """
        tokens = self.found(scope).tokens
        chosen: str | None = scope.get(CHOSEN)
        return chosen if chosen in tokens else next(iter(tokens), None)

    def found(self, scope: Any) -> Found:
        """Return what a request has, wherever it may be."""
        for number, reader in enumerate(self._readers):
            try:
                token = reader.read(scope["headers"])
            except ValueError:
                raise self.two_headers(reader.header) from None
            if token:
                return Found((token,), reader.header.scheme)
            if token is None or reader.has_ambient_scheme(scope["headers"]):
                continue
            # It was sent on purpose: no cookie stands in for it. The same header may
            # come with another scheme.
            others = self._readers[number + 1 :]
            if not any(reader.raw_name == other.raw_name for other in others):
                return NOTHING
        offer = self.offer(scope)
        if offer is not None:
            return Found((offer.token,) if offer.token else ())
        return self._of_cookies(scope)

    def offer(self, scope: Any) -> Offer | None:
        """Return the token among the subprotocols of a WebSocket, or None.

        Raises:
            HTTPException: 400 for two.
        """
        try:
            return offered_token(scope)
        except ValueError:
            log_refusal("invalid_request", "two_subprotocols")
            raise invalid_request(TWO_SUBPROTOCOLS, self._challenges) from None

    def _of_cookies(self, scope: Any) -> Found:
        if not any(name == b"cookie" for name, _ in scope["headers"]):
            return NOTHING
        for cookie in self._source.token_cookies:
            try:
                tokens = cookie.read_all(scope)
            except ValueError:
                raise self.two_cookies(MANY_COOKIES) from None
            if tokens:
                return Found(tokens)
        return NOTHING

    @property
    def _challenges(self) -> Challenges:
        return self._source.protection.challenges

    def nothing(self, scope: Any, scopes: Sequence[str] = ()) -> HTTPException:
        """Return the 401 of a request without a token.

        Where there is a header that should have one, the log says what it lacks.

        Args:
            scope: ASGI's.
            scopes: What its token would need.
        """
        for reader in self._readers:
            flaw = reader.flaw(scope["headers"])
            if flaw is not None:
                log_refusal("not_authenticated", flaw[0], hint=flaw[1])
                break
        else:
            if self.offer(scope) is not None:
                hint = "the subprotocol bearer is followed by no token"
                log_refusal("not_authenticated", "token_empty", hint=hint)
        return not_authenticated(self._challenges, scopes)

    def two_headers(self, header: TokenHeader | None = None) -> HTTPException:
        """Return the 400 of a request that has a header twice; the first by default."""
        header = header or self._readers[0].header
        hint = f"the request has more than one header {header.name}"
        log_refusal("invalid_request", "two_headers", hint=hint)
        text = f"More than one {header.name} header"
        return invalid_request(text, self._challenges)

    def two_cookies(self, hint: str = GOOD_COOKIES) -> HTTPException:
        """Return the 400 of cookies that contradict each other.

        Args:
            hint: What the log says of them.
        """
        log_refusal("invalid_request", "two_cookies", hint=hint)
        return invalid_request(TWO_COOKIES, self._challenges)


def _with_proven(headers: Sequence[TokenHeader]) -> Iterator[TokenHeader]:
    """Yield each header, and after ``Bearer`` the same with ``DPoP`` (RFC 9449 7.1)."""
    for header in headers:
        yield header
        if header.scheme is not None and header.scheme.lower() == "bearer":
            yield TokenHeader(header.name, PROVEN)
