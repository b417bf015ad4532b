"""What the package ``fastmcp`` expects of a resource server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastmcp.server.auth import AccessToken, RemoteAuthProvider
from fastmcp.server.auth import TokenVerifier as BaseVerifier
from pydantic import AnyHttpUrl
from starlette.middleware import Middleware
from starlette.routing import Route

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth
from fastbearer.fastapi import auth as default_auth
from fastbearer.fastapi.resource import Resource
from fastbearer.mcp.claims import ClaimsReader
from fastbearer.mcp.outages import OutageMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AuthProvider", "TokenVerifier"]

OTHER_PATH = (
    "the MCP endpoint is at {}, and the resource is {}: their paths must be the same,"
    " or clients would ask for tokens of another resource"
)


class TokenVerifier(BaseVerifier):
    """Verifies the tokens of a ``FastMCP``, alone or within another provider.

    Args:
        auth: What they are verified with; without it, the settings of the environment.
        required_scopes: The scopes that each token must have.
        base_url: As in fastmcp.

    Raises:
        ConfigurationError: The settings are not fit for use.
    """

    def __init__(
        self,
        auth: Auth = default_auth,
        *,
        required_scopes: Iterable[str] = (),
        base_url: str | None = None,
    ) -> None:
        super().__init__(base_url=base_url, required_scopes=list(required_scopes))
        self._reader = ClaimsReader(auth)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what a token says, or None where it is not accepted.

        Raises:
            KeySourceError: The issuer's keys cannot be fetched, so it cannot be told.
            StoreUnavailableError: A store cannot be reached, so it cannot be told.
        """
        members = await self._reader.members(token)
        return None if members is None else AccessToken(**members)

    def get_middleware(self) -> list[Any]:
        """Return fastmcp's, within what answers an outage with a 503."""
        return [Middleware(OutageMiddleware), *super().get_middleware()]


class AuthProvider(RemoteAuthProvider):
    """Everything that a ``FastMCP`` needs: ``FastMCP(auth=AuthProvider(auth))``.

    It verifies tokens, serves the metadata of the resource, and leads clients there.

    Args:
        auth: With a `Resource`, the URL of the MCP endpoint; without it, the settings
            of the environment.
        required_scopes: The scopes that each token must have.

    Raises:
        ConfigurationError: There is no resource, or the settings are not fit for use.
    """

    def __init__(
        self, auth: Auth = default_auth, *, required_scopes: Iterable[str] = ()
    ) -> None:
        self._auth = auth
        self._resource: Resource = auth.protection.needed_resource()
        scopes = list(required_scopes)
        servers = auth.resource_document().get("authorization_servers", [])
        super().__init__(
            TokenVerifier(auth, required_scopes=scopes),
            [AnyHttpUrl(server) for server in servers],
            self._resource.origin,
            scopes_supported=list(self._resource.scopes_supported) or scopes,
            challenge_scopes=list(self._resource.first_scopes) or None,
            resource_name=self._resource.name,
        )

    def get_routes(self, mcp_path: str | None = None) -> list[Route]:
        """Return the route of the metadata, with all that the resource says.

        Raises:
            ConfigurationError: The resource is at another path than the endpoint.
        """
        self.set_mcp_path(mcp_path)
        if str(self._resource_url).rstrip("/") != self._resource.url.rstrip("/"):
            raise ConfigurationError(
                OTHER_PATH.format(mcp_path, self._resource.metadata_url)
            )
        routes = self._auth.resource_metadata.routes
        return [route for route in routes if isinstance(route, Route)]

    def get_middleware(self) -> list[Any]:
        """Return fastmcp's, within what answers an outage with a 503."""
        return [Middleware(OutageMiddleware), *super().get_middleware()]
