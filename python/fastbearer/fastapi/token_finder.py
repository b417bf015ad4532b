"""Where the token of a request is: its headers, its subprotocols, its cookies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from fastapi import HTTPException

from fastbearer.fastapi.challenges import invalid_request, not_authenticated
from fastbearer.fastapi.cookie import TWO_COOKIES, TokenCookie
from fastbearer.fastapi.refusal_log import log_refusal
from fastbearer.fastapi.subprotocols import Offer, offered_token
from fastbearer.fastapi.token_header import HeaderReader, TokenHeader

__all__ = ["CHOSEN", "Found", "TokenFinder"]

TWO_SUBPROTOCOLS = "More than one token among the subprotocols"
CHOSEN = "fastbearer.token"
"""Where a scope says which of several cookies was good."""


class CookieSource(Protocol):
    """Whoever knows the cookies; asked at the first request, not earlier."""

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


NOTHING = Found(())


class TokenFinder:
    """Finds the token of a request, unverified.

    Args:
        source: Knows the cookies.
        headers: The request headers that may have the token.
    """

    def __init__(self, source: CookieSource, headers: Sequence[TokenHeader]) -> None:
        self._source = source
        self._readers = [HeaderReader(header) for header in headers]

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
            raise invalid_request(TWO_SUBPROTOCOLS) from None

    def _of_cookies(self, scope: Any) -> Found:
        if not any(name == b"cookie" for name, _ in scope["headers"]):
            return NOTHING
        for cookie in self._source.token_cookies:
            try:
                tokens = cookie.read_all(scope)
            except ValueError:
                raise self.two_cookies() from None
            if tokens:
                return Found(tokens)
        return NOTHING

    def nothing(self, scope: Any) -> HTTPException:
        """Return the 401 of a request without a token.

        Where there is a header that should have one, the log says what it lacks.
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
        return not_authenticated()

    def two_headers(self, header: TokenHeader | None = None) -> HTTPException:
        """Return the 400 of a request that has a header twice; the first by default."""
        header = header or self._readers[0].header
        hint = f"the request has more than one header {header.name}"
        log_refusal("invalid_request", "two_headers", hint=hint)
        return invalid_request(f"More than one {header.name} header")

    def two_cookies(self) -> HTTPException:
        """Return the 400 of cookies that contradict each other."""
        hint = "cookies of one name have different tokens, and more than one is good"
        log_refusal("invalid_request", "two_cookies", hint=hint)
        return invalid_request(TWO_COOKIES)
