"""What the SDK ``mcp`` expects of a resource server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth
from fastbearer.fastapi import auth as default_auth
from fastbearer.mcp.claims import ClaimsReader

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TokenVerifier", "auth_settings"]

NO_ISSUER = (
    "MCP needs the URL of an authorization server (RFC 9728 2): configure an issuer, or"
    " give Resource(..., authorization_servers=[...])"
)


class TokenVerifier:
    """Verifies the tokens of an MCP server: ``MCPServer(token_verifier=...)``.

    Args:
        auth: What they are verified with; without it, the settings of the environment.

    Raises:
        ConfigurationError: The settings are not fit for use.
    """

    def __init__(self, auth: Auth = default_auth) -> None:
        self._reader = ClaimsReader(auth)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what a token says, or None where it is not accepted.

        Raises:
            KeySourceError: The issuer's keys cannot be fetched, so it cannot be told.
            StoreUnavailableError: A store cannot be reached, so it cannot be told.
        """
        members = await self._reader.members(token)
        return None if members is None else AccessToken(**members)


def auth_settings(
    auth: Auth = default_auth, *, required_scopes: Iterable[str] = ()
) -> AuthSettings:
    """Return what the SDK needs beside the verifier: ``MCPServer(auth=...)``.

    Args:
        auth: With a `Resource`, the URL of the MCP endpoint.
        required_scopes: The scopes that each token must have.

    Raises:
        ConfigurationError: There is no resource, or no authorization server.
    """
    servers = auth.resource_document().get("authorization_servers")
    if not servers:
        raise ConfigurationError(NO_ISSUER)
    more: dict[str, Any] = {}
    if "validate_token_resource" in AuthSettings.model_fields:
        # The verifier has checked the audience, which may be another one than the URL.
        more["validate_token_resource"] = False
    return AuthSettings.model_validate(
        {
            "issuer_url": servers[0],
            "resource_server_url": auth.protection.needed_resource().url,
            "required_scopes": list(required_scopes) or None,
            **more,
        }
    )
