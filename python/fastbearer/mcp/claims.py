"""From a token to what an MCP server knows of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from fastbearer.errors import KeySourceError, StoreUnavailableError
from fastbearer.fastapi.dependencies import ClaimsDependency
from fastbearer.revocation.protocol import subject_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastbearer.fastapi import Auth

__all__ = ["ClaimsReader"]

CLIENT_CLAIMS = ("client_id", "azp", "cid", "appid")
"""RFC 9068 2.2, OpenID Connect Core 2, Okta, Microsoft Entra ID v1.0."""


class ClaimsReader:
    """Verifies tokens as the dependencies of an ``Auth`` do, and names their members.

    Args:
        auth: What the tokens are verified with.

    Raises:
        ConfigurationError: Its settings are not fit for use.
    """

    def __init__(self, auth: Auth) -> None:
        auth.protection.check()
        _ = auth.verifier
        self._auth = auth
        self._verified = ClaimsDependency(auth)

    async def members(self, token: str) -> dict[str, Any] | None:
        """Return the members of an ``AccessToken``, or None for a bad token.

        Raises:
            KeySourceError: The issuer's keys cannot be fetched, so it cannot be told.
            StoreUnavailableError: A store cannot be reached, so it cannot be told.
        """
        claims = await self._claims(token)
        if claims is None:
            return None
        user = subject_of(self._auth.named(claims))
        client = _client_of(claims)
        if user is None and client is None:
            # A session belongs to the one or the other, so nobody could have it.
            return None
        return {
            "token": token,
            "client_id": client or user,
            "subject": user,
            "scopes": sorted(self._auth.scopes_of(claims)),
            "expires_at": self._expiry_of(claims),
            "resource": self._resource_of(claims),
            "claims": claims,
        }

    async def _claims(self, token: str) -> dict[str, Any] | None:
        if not isinstance(token, str) or not token.isascii():
            return None
        header = (b"authorization", b"Bearer " + token.encode())
        request = HTTPConnection({"type": "http", "headers": [header]})
        try:
            return await self._verified(request)
        except HTTPException as refusal:
            cause = refusal.__cause__
            if isinstance(cause, (KeySourceError, StoreUnavailableError)):
                raise cause from None
            if refusal.status_code >= 500:
                raise
            return None

    def _expiry_of(self, claims: Mapping[str, Any]) -> int | None:
        """Return ``exp``; where a leeway has let the token pass, the present time.

        The SDK compares it once more, and knows of no leeway.
        """
        expiry: float | None = claims.get("exp")
        if expiry is None:
            return None
        return max(math.floor(expiry), math.ceil(self._auth.clock()))

    def _resource_of(self, claims: Mapping[str, Any]) -> str | None:
        """Return for which resource the token was issued (RFC 8707 2)."""
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        resource = self._auth.protection.resource
        if resource is not None and resource.url in audiences:
            return resource.url
        only = audiences[0] if len(audiences) == 1 else None
        return only if isinstance(only, str) else None


def _client_of(claims: Mapping[str, Any]) -> str | None:
    found = (claims.get(name) for name in CLIENT_CLAIMS)
    return next((name for name in found if isinstance(name, str) and name), None)
