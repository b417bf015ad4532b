"""Profiles of servers that one may run oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastbearer.errors import ConfigurationError
from fastbearer.issuers.addresses import base_url, origin_of, segment
from fastbearer.issuers.options import texts
from fastbearer.issuers.profile import Profile

if TYPE_CHECKING:
    from typing import Self, Unpack

    from fastbearer.issuers.profile import Options, Texts, URLOptions

__all__ = ["ServerProfiles"]

BETTER_AUTH_ALGORITHMS = ("EdDSA", "ES256", "ES512", "PS256", "RS256")


class ServerProfiles(Profile):
    """The profiles of such servers."""

    __slots__ = ()

    @classmethod
    def better_auth(
        cls, url: str, *, audience: Texts | None = None, **options: Unpack[Options]
    ) -> Self:
        """Return Better Auth: tokens of its plugin ``jwt()``.

        Tokens for third parties, of the same keys, are of the type ``at+jwt`` and
        refused (RFC 8725 3.11).

        Args:
            url: The server's base URL; a path in it replaces ``/api/auth``.
            audience: What ``aud`` must name, if not the server's origin.
            options: Fields of the issuer that are to differ.
        """
        # https://www.better-auth.com/docs/plugins/jwt
        base = base_url("url", url)
        origin = "/".join(base.split("/")[:3])
        return cls._made(
            options,
            url=origin,
            keys=(f"{base}/api/auth" if base == origin else base) + "/jwks",
            audience=origin if audience is None else texts("audience", audience),
            algorithms=BETTER_AUTH_ALGORITHMS,
            leeway=0,
            typ=(None, "JWT"),
            require_kid=True,
            require=("exp", "sub"),
        )

    @classmethod
    def keycloak(
        cls,
        url: str,
        realm: str,
        audience: Texts | None = None,
        *,
        clients: Texts | None = None,
        **options: Unpack[Options],
    ) -> Self:
        """Return Keycloak: access tokens of a realm.

        Scopes are ``scope``, the realm's roles, and the roles of the clients that
        the audience names. ID and refresh tokens have another ``typ`` in the claims.

        Args:
            url: The public URL, with ``/auth`` where the server has it. Keys from
                another address: ``keys=``, and ``allow_http=True`` for http.
            realm: The realm.
            audience: What ``aud`` must name; it takes an audience mapper.
            clients: The clients that may send tokens (``azp``). Without an audience
                they are what keeps tokens for others out.
            options: Fields of the issuer that are to differ.
        """
        # https://www.keycloak.org/securing-apps/oidc-layers
        # https://www.keycloak.org/docs/latest/server_admin/#_audience
        is_name = isinstance(realm, str) and realm.isprintable() and "/" not in realm
        if not (is_name and realm):
            raise ConfigurationError("realm must be a realm's name")
        end = f"/realms/{quote(realm, safe='')}"
        issuer = base_url("url", url).removesuffix(end) + end
        named = () if audience is None else texts("audience", audience)
        required: dict[str, Any] = {"typ": ("Bearer", "DPoP")}
        if clients is not None:
            required["azp"] = texts("clients", clients)
        elif not named and not options.get("ignore_audience"):
            raise ConfigurationError(
                "audience or clients must say for whom Keycloak's tokens are"
            )
        row = {"audience": named} if named else {"ignore_audience": True}
        return cls._made(
            options,
            **row,
            url=issuer,
            keys=f"{issuer}/protocol/openid-connect/certs",
            required=required,
            scope_claims=("scope",),
            role_claims=(
                "realm_access.roles",
                *(f"resource_access.{one}.roles" for one in named),
            ),
        )

    @classmethod
    def zitadel(
        cls,
        domain: str,
        project: str,
        *,
        clients: Texts | None = None,
        **options: Unpack[URLOptions],
    ) -> Self:
        """Return ZITADEL: access tokens of the type JWT.

        The roles of the project count as scopes. ID tokens have no ``jti``.
        Applications whose access tokens are opaque need ``introspect=``.

        Args:
            domain: The instance's domain.
            project: The ID of your API's project.
            clients: The clients that may send tokens (``azp``), all of this project.
                Then the roles that name no project count as well: they are those of
                the client's project.
            options: Fields of the issuer that are to differ.
        """
        # https://zitadel.com/docs/apis/openidoauth/claims
        # https://zitadel.com/docs/apis/openidoauth/endpoints
        issuer = origin_of("domain", domain)
        name = segment("project", project)
        require: list[str | tuple[str, ...]] = ["exp", "sub", "jti"]
        required: dict[str, Any] = {}
        roles = [f"urn:zitadel:iam:org:project:{name}:roles"]
        if clients is not None:
            # What introspection says has the client in client_id.
            require.append(("azp", "client_id"))
            named = (*texts("clients", clients), None)
            required = {"azp": named, "client_id": named}
            roles.append("urn:zitadel:iam:org:project:roles")
        return cls._made(
            options,
            url=issuer,
            keys=f"{issuer}/oauth/v2/keys",
            audience=name,
            typ=(None, "JWT", "at+jwt"),
            require=require,
            required=required,
            scope_claims=("scope",),
            role_claims=roles,
        )
