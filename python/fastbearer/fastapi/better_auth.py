"""The session of a Better Auth frontend, as a dependency.

No ``from __future__ import annotations`` here: FastAPI has to see the real class in
the signature of ``__call__``.
"""

import logging
from contextlib import suppress
from typing import Any

from fastapi.openapi.models import HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from fastbearer._core import bearer_token
from fastbearer.better_auth import BetterAuth, Session
from fastbearer.better_auth.cookies import CookieJar
from fastbearer.better_auth.judging import Good
from fastbearer.better_auth.session import is_token
from fastbearer.errors import (
    ConfigurationError,
    InvalidSignatureError,
    KeySourceError,
    MissingClaimError,
    StoreUnavailableError,
    TokenError,
    UnknownKeyError,
)
from fastbearer.fastapi.challenges import (
    answer_to,
    invalid_request,
    not_authenticated,
)
from fastbearer.fastapi.cross_site import (
    SAFE_METHODS,
    TrustedOrigins,
    WithoutOrigin,
    check_origin,
    without_origin,
)
from fastbearer.fastapi.refusal_log import log_refusal, log_token_error
from fastbearer.issuers.binding import check_unbound

__all__ = ["BetterAuthSession", "better_auth_session"]

TWO_HEADERS = "More than one Authorization header"
NO_SESSIONS = "Sessions cannot be looked up at the moment. Please try again."
NOTHING = "cookies or bearer, one of them must be there"

logger: logging.Logger = logging.getLogger("fastbearer")


class BetterAuthSession(SecurityBase):
    """Finds the session of a request, in its cookies or its bearer token.

    Serves HTTP and WebSocket routes alike; compared and hashed by identity, which
    ``dependency_overrides`` relies on. See `better_auth_session` for the arguments.
    """

    def __init__(
        self,
        server: BetterAuth,
        *,
        cookies: bool,
        bearer: bool,
        cached_reads: bool,
        raw_tokens: bool,
        optional: bool,
        requests_without_origin: WithoutOrigin,
    ) -> None:
        if not (cookies or bearer):
            raise ConfigurationError(NOTHING)
        self._server = server
        self._takes_cookies = cookies
        self._takes_bearer = bearer
        self._cached_reads = cached_reads
        self._raw_tokens = raw_tokens
        self._is_optional = optional
        self._trusted = TrustedOrigins(server.trusted_origins, server.origin_rules)
        self._without_origin = without_origin(requests_without_origin)
        self.model: SecurityScheme = HTTPBearer()
        self.scheme_name = "BetterAuth"

    async def __call__(self, conn: HTTPConnection) -> Session | None:
        """Return the session; 401 without a good one."""
        scope = conn.scope
        try:
            found = await self._session(scope)
        except StoreUnavailableError as error:
            logger.error("session not looked up: %s", error.__cause__ or error)
            raise answer_to(error, NO_SESSIONS) from error
        except KeySourceError as error:
            raise answer_to(error) from error
        except TokenError as error:
            # Errors without a reason have a text of ours.
            log_token_error(error, None if error.reason else str(error), "session")
            raise answer_to(error) from error
        if found is None and not self._is_optional:
            raise not_authenticated()
        return found

    async def _session(self, scope: Any) -> Session | None:
        token = self._bearer(scope) if self._takes_bearer else None
        if token is not None and self._is_judged(token):
            return await self._of_bearer(token)
        jar = self._server.cookies(scope["headers"]) if self._takes_cookies else None
        if jar is not None:
            if jar.session_tokens:
                check_origin(scope, self._trusted, self._without_origin)
                return await self._of_cookies(scope, jar)
            self._hint(scope["headers"])
            if token is None and jar.session_data is not None:
                raise MissingClaimError("there is no session token", "session_token")
        return None if token is None else await self._of_bearer(token)

    def _is_judged(self, token: str) -> bool:
        """Tell whether there is something to verify a token with.

        What is sent on purpose then counts, and not the cookie, which a browser sends
        anyhow. Another token is not meant for this dependency: the server's own
        plugin ``bearer()`` passes it by as well.
        """
        if token.count(".") == 2:
            return self._server.has_keys
        return self._server.store is not None

    def _hint(self, headers: Any) -> None:
        """Log it where another cookie than the one with this name may be meant."""
        if any(name == b"cookie" for name, _ in headers):
            hint = self._server.hint_at_cookies(headers)
            if hint is not None:
                logger.warning("session not found: %s", hint)

    def _bearer(self, scope: Any) -> str | None:
        try:
            return bearer_token(scope["headers"], b"authorization") or None
        except ValueError:
            log_refusal("invalid_request", "two_headers", what="session")
            raise invalid_request(TWO_HEADERS) from None

    async def _of_cookies(self, scope: Any, jar: CookieJar) -> Session:
        server = self._server
        if server.store is None:
            return await server.aread_jar(jar)
        if self._cached_reads and _is_read(scope):
            with suppress(TokenError, KeySourceError):
                return await server.aread_jar(jar)
        tokens = server.signed_tokens(jar)
        return await (
            self._looked_up(tokens[0]) if len(tokens) == 1 else self._one_of(tokens)
        )

    async def _of_bearer(self, token: str) -> Session | None:
        server = self._server
        if token.count(".") == 2 and server.has_keys:
            claims = await server.averify_jwt(token)
            check_unbound(claims)
            return server.session_of_jwt(claims)
        if server.store is None:
            raise UnknownKeyError("there is nothing to verify such a token with")
        if self._raw_tokens and is_token(token):
            return await self._looked_up(token)
        return await self._looked_up(server.read_session_token(token))

    async def _one_of(self, tokens: list[str]) -> Session:
        """Look up several tokens, of which one is good."""
        good = Good(tokens)
        for token in tokens:
            try:
                good.add(token, await self._looked_up(token))
            except TokenError as error:
                good.refuse(error)
        return good.one()

    async def _looked_up(self, token: str) -> Session:
        found = await self._server.find_session(token)
        if found is None:
            raise InvalidSignatureError("there is no such session")
        return found


def better_auth_session(
    server: BetterAuth,
    *,
    cookies: bool = True,
    bearer: bool = True,
    cached_reads: bool = False,
    raw_tokens: bool = False,
    optional: bool = False,
    requests_without_origin: WithoutOrigin = "refuse",
) -> BetterAuthSession:
    """Return a dependency: the session of a request, or 401.

    For ``Depends(better_auth_session(ba))``. Make it once: each is a dependency of its
    own. An ``Authorization: Bearer`` that can be verified counts alone; without one the
    cookies do. A cookie counts for a request that changes
    something only if the request says that it comes from the server's origin, one of
    its ``trusted_origins`` or the host itself, or else it is a 403; while the store or
    the keys cannot be reached it is a 503.

    Args:
        server: The Better Auth server.
        cookies: Whether its cookies are taken: with a store the session token, else
            both, of which the session data may be minutes old.
        bearer: Whether ``Authorization: Bearer`` is taken: a token of the plugin
            ``jwt()`` where there are keys, a signed session token (plugin
            ``bearer()``) where there is a store.
        cached_reads: With a store, whether the session data of the cookie does for
            requests that change nothing (GET, HEAD, OPTIONS).
        raw_tokens: Whether a session token without signature is taken as a bearer
            token, as the plugin does: whoever reads the table then is everybody.
        optional: Whether the session is None where no credentials came.
        requests_without_origin: "allow" takes the cookie of a request that changes
            something and says nothing of where it comes from, neither ``Origin`` nor
            ``Sec-Fetch-Site``: of a server that hands the cookie on, like a route
            handler of Next.js. Browsers always say it.

    Raises:
        ConfigurationError: Neither cookies nor bearer tokens are taken.
    """
    return BetterAuthSession(
        server,
        cookies=cookies,
        bearer=bearer,
        cached_reads=cached_reads,
        raw_tokens=raw_tokens,
        optional=optional,
        requests_without_origin=requests_without_origin,
    )


def _is_read(scope: Any) -> bool:
    return scope["type"] == "http" and scope["method"] in SAFE_METHODS
