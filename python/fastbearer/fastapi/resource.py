"""This service as an OAuth 2.0 protected resource, and its metadata (RFC 9728)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.scopes import is_scope
from fastbearer.urls import URL, read_url

__all__ = ["Resource", "metadata_router"]

WELL_KNOWN = "/.well-known/oauth-protected-resource"
MAX_AGE_SECONDS = 300

WRONG_URL = (
    "the URL of a resource must be an absolute https URL of ASCII without user, query"
    " and fragment (http only for this machine itself)"
)
WRONG_SCOPES = "the scopes of a resource must be a list of scopes (RFC 6749 3.3)"
WRONG_SERVERS = (
    "the authorization servers of a resource must be a list of issuers, absolute URLs"
)
TAKEN = "further members of a resource's metadata must not replace {}"

OWN_MEMBERS = frozenset(
    (
        "resource",
        "authorization_servers",
        "scopes_supported",
        "bearer_methods_supported",
        "resource_name",
        "resource_documentation",
        "resource_policy_uri",
        "resource_tos_uri",
        "dpop_signing_alg_values_supported",
        "dpop_bound_access_tokens_required",
    )
)

OPEN_TO_ALL = {
    # What anybody may read, scripts of other sites may read as well; nothing in it
    # depends on who asks.
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}",
}
PREFLIGHT = {
    **OPEN_TO_ALL,
    "Access-Control-Allow-Methods": "GET, OPTIONS",
    # MCP's clients send MCP-Protocol-Version.
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


@dataclass(frozen=True, eq=False)
class Resource:
    """What this service tells clients, so that they find out how to sign in.

    Attributes:
        url: The resource identifier (RFC 9728 1.2): the URL of this service as its
            clients see it, like "https://api.example.com/mcp". Tokens must have it as
            ``aud``, unless another audience is configured (RFC 8707 2).
        authorization_servers: The issuers whose tokens are accepted; None for those
            that are configured.
        scopes_supported: The scopes that clients may ask for.
        challenge_scopes: The scopes that a client is told to ask for at first, in the
            challenge of a 401; None for those that the route needs, or
            ``scopes_supported``.
        name: What people call this service.
        documentation: URL of a page for developers.
        policy: URL of a page that says how data may be used.
        terms: URL of the terms of service.
        more: Further members of the document.

    Raises:
        ConfigurationError: One of these is not as it says.
    """

    url: str
    authorization_servers: Collection[str] | None = None
    scopes_supported: Collection[str] = ()
    challenge_scopes: Collection[str] | None = None
    name: str | None = None
    documentation: str | None = None
    policy: str | None = None
    terms: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _parts(self.url)
        self._set("scopes_supported", _scopes(self.scopes_supported))
        if self.challenge_scopes is not None:
            self._set("challenge_scopes", _scopes(self.challenge_scopes))
        if self.authorization_servers is not None:
            self._set("authorization_servers", _servers(self.authorization_servers))
        taken = sorted(OWN_MEMBERS & self.more.keys())
        if taken:
            raise ConfigurationError(TAKEN.format(", ".join(taken)))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def origin(self) -> str:
        """The origin of ``url``."""
        return _parts(self.url).origin

    @property
    def metadata_path(self) -> str:
        """The path of the document, which ends with the resource's (RFC 9728 3.1)."""
        path = _parts(self.url).path
        return WELL_KNOWN + ("" if path == "/" else path)

    @property
    def metadata_url(self) -> str:
        """The URL of the document, which challenges name (RFC 9728 5.1)."""
        return self.origin + self.metadata_path

    @property
    def first_scopes(self) -> tuple[str, ...]:
        """The scopes that a client without a good token is told to ask for."""
        chosen = self.challenge_scopes
        return tuple(self.scopes_supported if chosen is None else chosen)

    def document(
        self,
        issuers: Iterable[str],
        proof_algorithms: Iterable[str],
        *,
        needs_proof: bool = False,
    ) -> dict[str, Any]:
        """Return the metadata (RFC 9728 2).

        Args:
            issuers: Those that are configured.
            proof_algorithms: The ``alg`` values of DPoP proofs, where there are any.
            needs_proof: Whether tokens are accepted with a proof alone.
        """
        servers = self.authorization_servers
        algorithms = list(proof_algorithms)
        members: dict[str, Any] = {
            "resource": self.url,
            "authorization_servers": list(issuers if servers is None else servers)
            or None,
            "scopes_supported": list(self.scopes_supported) or None,
            # An empty list says that a bare bearer token will not do.
            "bearer_methods_supported": [] if needs_proof else ["header"],
            "resource_name": self.name,
            "resource_documentation": self.documentation,
            "resource_policy_uri": self.policy,
            "resource_tos_uri": self.terms,
            "dpop_signing_alg_values_supported": algorithms or None,
            "dpop_bound_access_tokens_required": needs_proof or None,
        }
        members.update(self.more)
        # RFC 9728 3.2 leaves out what has no value.
        return {name: value for name, value in members.items() if value is not None}


def metadata_router(path: str, document: Callable[[], dict[str, Any]]) -> APIRouter:
    """Return a router that serves a resource's metadata, to scripts of any site too.

    Args:
        path: That of the document.
        document: Gives it; asked at each request.
    """
    router = APIRouter()

    async def metadata(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        return JSONResponse(document(), headers=OPEN_TO_ALL)

    router.add_route(
        unquote(path),  # as servers give the path of a request
        metadata,
        methods=["GET", "OPTIONS"],
        include_in_schema=False,
    )
    return router


def _parts(url: str) -> URL:
    found = read_url(url)
    if (
        found is None
        or found.has_user
        or not {"?", "#", "{", "}"}.isdisjoint(url)
        or (found.scheme != "https" and not found.is_loopback)
    ):
        raise ConfigurationError(WRONG_URL)
    return found


def _scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    found = () if isinstance(scopes, str) else tuple(scopes)
    if isinstance(scopes, str) or not all(map(is_scope, found)):
        raise ConfigurationError(WRONG_SCOPES)
    return found


def _servers(servers: Iterable[str]) -> tuple[str, ...]:
    found = () if isinstance(servers, str) else tuple(servers)
    if not found or any(read_url(server) is None for server in found):
        raise ConfigurationError(WRONG_SERVERS)
    return found
