"""The dependencies that turn a bearer token into a user (RFC 6750).

No ``from __future__ import annotations`` here: FastAPI has to see the real
class in the signature of ``__call__``.
"""

import logging
from typing import Any

from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from fastbearer.better_auth.secrets import is_link
from fastbearer.errors import InvalidClaimError
from fastbearer.fastapi.bearer import (
    READY,
    BearerReader,
    TokenSource,
    TokenUser,
)
from fastbearer.fastapi.challenges import (
    answer_to,
    insufficient_scope,
    not_authenticated,
    other_user,
)

__all__ = [
    "BearerDependency",
    "ClaimsDependency",
    "OptionalUserDependency",
    "PathUserDependency",
    "ScopesDependency",
    "UserDependency",
]

logger = logging.getLogger("fastbearer")


class BearerDependency(SecurityBase):
    """What all flavours share: the reader, and a place in OpenAPI.

    Serves HTTP and WebSocket routes alike. Instances are compared and hashed
    by identity, which ``dependency_overrides`` relies on.

    Args:
        source: Gives the verifier.
        header: Name of the request header that has the token.

    Raises:
        ConfigurationError: ``header`` is not a header name (RFC 9110 5.1).
    """

    def __init__(self, source: TokenSource, *, header: str = "Authorization") -> None:
        reader = BearerReader(source, header)
        self._source = source
        self._claims = reader.claims
        self._token = reader.token
        self.model = _security_scheme(header)
        self.scheme_name = "Bearer" if _is_standard(header) else header

    def token(self, conn: HTTPConnection) -> str | None:
        """Return the token of a request, unverified, or None."""
        return self._token(conn.scope)

    async def check(self, conn: HTTPConnection) -> None:
        """Refuse a request without good credentials: 401."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise not_authenticated()


class ClaimsDependency(BearerDependency):
    """The whole payload of the token."""

    async def __call__(self, conn: HTTPConnection) -> dict[str, Any]:
        """Return the claims; 401 without a good token.

        A link that Better Auth has mailed is not one, though it is signed with the
        same secret.
        """
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise not_authenticated()
        if is_link(claims):
            error = InvalidClaimError("the token is a link of a message", "email")
            logger.warning("token refused: %s: %s", error.code, error)
            raise answer_to(error) from error
        return claims


class UserDependency(BearerDependency):
    """The signed-in user."""

    async def __call__(self, conn: HTTPConnection) -> TokenUser:
        """Return the user; 401 without a good token."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise not_authenticated()
        return self._source.user_of(claims)


class OptionalUserDependency(BearerDependency):
    """The signed-in user, where there is one."""

    async def check(self, conn: HTTPConnection) -> None:
        """Refuse bad credentials: 401; none are good here."""
        await self(conn)

    async def __call__(self, conn: HTTPConnection) -> TokenUser | None:
        """Return the user, or None without credentials; 401 for bad ones."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        return None if claims is None else self._source.user_of(claims)


class PathUserDependency(BearerDependency):
    """The signed-in user, on the paths that are theirs."""

    async def check(self, conn: HTTPConnection) -> None:
        """Refuse who is not the user of the path: 401, 403."""
        await self(conn)

    async def __call__(self, conn: HTTPConnection) -> TokenUser:
        """Return the user; 403 unless the path's ``user_id`` is theirs."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise not_authenticated()
        user = self._source.user_of(claims)
        # A path without one is nobody's: "" is no user's id.
        if str(conn.path_params.get("user_id", "")) != user["user_id"]:
            raise other_user()
        return user


class ScopesDependency(BearerDependency):
    """The signed-in user, if the token has the scopes that the route asks for.

    For ``Security(auth.requires, scopes=["tasks:write"])``.
    """

    async def __call__(self, conn: HTTPConnection, needed: SecurityScopes) -> TokenUser:
        """Return the user; 403 unless the token has every scope."""
        claims = self._claims(conn.scope)
        if not isinstance(claims, READY):
            claims = await claims
        if claims is None:
            raise not_authenticated()
        if not set(needed.scopes) <= self._source.scopes_of(claims):
            raise insufficient_scope(needed.scopes)
        return self._source.user_of(claims)


def _is_standard(header: str) -> bool:
    return header.lower() == "authorization"


def _security_scheme(header: str) -> SecurityScheme:
    """Return what OpenAPI says about the header (the Authorize button)."""
    if _is_standard(header):
        return HTTPBearer(bearerFormat="JWT")
    # The type "http" of OpenAPI always means the header Authorization.
    return APIKey.model_validate(
        {"in": APIKeyIn.header, "name": header, "description": "Bearer <token>"}
    )
