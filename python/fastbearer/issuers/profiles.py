"""How the well-known identity providers write their tokens: one method each.

The rules of each are from the provider's own document, whose address stands in the
method. Whatever a method decides can be overridden by the field's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastbearer import Key
from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.issuers.addresses import base_url, origin_of, segment
from fastbearer.issuers.cloud_profiles import CloudProfiles
from fastbearer.issuers.options import texts

if TYPE_CHECKING:
    from typing import Self, Unpack

    from fastbearer.issuers.profile import Options, Texts, URLOptions

__all__ = ["Profiles"]

BETTER_AUTH_ALGORITHMS = ("EdDSA", "ES256", "ES512", "PS256", "RS256")
OKTA_ISSUER = re.compile(r"(?P<org>https?://[^/]+)/oauth2/(?P<server>[^/]+)")
WORKOS = "https://api.workos.com"


class Profiles(CloudProfiles):
    """The profiles of `Issuer`, which is made of this class."""

    __slots__ = ()

    @classmethod
    def auth0(cls, domain: str, audience: Texts, **options: Unpack[URLOptions]) -> Self:
        """Return Auth0: access tokens for an API of a tenant.

        Scopes are ``scope``, and ``permissions`` where RBAC adds them. ID tokens name
        a client in ``aud``, so they are refused.

        Args:
            domain: The tenant's domain, or the custom domain.
            audience: The API's identifier, or several.
            options: Fields of the issuer that are to differ.
        """
        # https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
        # https://auth0.com/docs/secure/tokens/json-web-tokens/json-web-key-sets
        origin = origin_of("domain", domain)
        return cls._made(
            options,
            url=f"{origin}/",
            keys=f"{origin}/.well-known/jwks.json",
            audience=texts("audience", audience),
            typ=("JWT", "at+jwt"),
            scope_claims=("scope",),
            role_claims=("permissions",),
        )

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
    def clerk(
        cls,
        domain: str,
        *,
        authorized_parties: Texts | None = None,
        audience: Texts | None = None,
        **options: Unpack[URLOptions],
    ) -> Self:
        """Return Clerk: session tokens of an instance.

        A session that is ``pending`` is refused, and so are OAuth tokens of third
        parties (``at+jwt``). Roles do not count as scopes: they are those of the
        active organization, which may be the user's own.

        Args:
            domain: The Frontend API URL.
            authorized_parties: The origins of your frontends, which ``azp`` must be
                one of. Clerk recommends to name them.
            audience: What a template of your own puts into ``aud``.
            options: Fields of the issuer that are to differ.
        """
        # https://clerk.com/docs/guides/sessions/manual-jwt-verification
        # https://clerk.com/docs/guides/sessions/session-tokens
        origin = origin_of("domain", domain)
        required: dict[str, Any] = {"sts": (None, "active")}
        if authorized_parties is not None:
            required["azp"] = texts("authorized_parties", authorized_parties)
        return cls._made(
            options,
            url=origin,
            keys=f"{origin}/.well-known/jwks.json",
            audience=None if audience is None else texts("audience", audience),
            algorithms=("RS256",),
            typ="JWT",
            require=("exp", "sub"),
            required=required,
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
    def okta(
        cls,
        domain: str,
        audience: Texts = "api://default",
        server: str = "default",
        *,
        clients: Texts | None = None,
        **options: Unpack[URLOptions],
    ) -> Self:
        """Return Okta: access tokens of a custom authorization server.

        The user is ``uid``, for ``sub`` is a name to sign in with; machines have no
        ``uid``, and are their ``sub``. ID tokens have no ``cid``.

        Args:
            domain: Your Okta domain, or the authorization server's issuer URI.
            audience: The authorization server's audience.
            server: The authorization server's ID.
            clients: The clients that may send tokens (``cid``).
            options: Fields of the issuer that are to differ.
        """
        # https://developer.okta.com/docs/guides/validate-access-tokens/
        # https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
        found = OKTA_ISSUER.fullmatch(base_url("domain", domain))
        org = found["org"] if found else origin_of("domain", domain)
        if "-admin.okta" in org:
            raise ConfigurationError("domain must be the Okta domain without -admin")
        issuer = (
            f"{org}/oauth2/{found['server'] if found else segment('server', server)}"
        )
        required: dict[str, Any] = {}
        if clients is not None:
            required["cid"] = texts("clients", clients)
        return cls._made(
            options,
            url=issuer,
            keys=f"{issuer}/v1/keys",
            audience=texts("audience", audience),
            algorithms=("RS256",),
            require=("exp", "cid"),
            required=required,
            user_claim=("uid", "sub"),
            scope_claims=("scp",),
        )

    @classmethod
    def supabase(
        cls,
        url: str,
        *,
        secret: str | bytes | None = None,
        clients: Texts = (),
        audience: Texts = "authenticated",
        **options: Unpack[Options],
    ) -> Self:
        """Return Supabase Auth: access tokens of a project's users.

        API keys (``anon``, ``service_role``) are refused, and tokens that OAuth
        clients of third parties got, unless the clients are named.

        Args:
            url: The project's URL, or that of a server of your own.
            secret: The legacy JWT secret, where tokens are still signed with HS256.
            clients: OAuth clients whose tokens count as the user's own.
            audience: What ``aud`` must name.
            options: Fields of the issuer that are to differ.
        """
        # https://supabase.com/docs/guides/auth/jwts
        # https://supabase.com/docs/guides/auth/jwt-fields
        # https://supabase.com/docs/guides/auth/oauth-server/token-security
        if secret is not None and options.get("keys") is not None:
            raise ConfigurationError("secret and keys exclude each other")
        issuer = base_url("url", url).removesuffix("/auth/v1") + "/auth/v1"
        named = texts("clients", clients) if clients else ()
        keys = f"{issuer}/.well-known/jwks.json"
        return cls._made(
            options,
            url=issuer,
            keys=keys if secret is None else _hs256("secret", secret),
            audience=texts("audience", audience),
            require=("exp", "sub"),
            required={"role": "authenticated", "client_id": (None, *named)},
            scope_claims=("scope",),
            role_claims=("role",),
        )

    @classmethod
    def workos(
        cls,
        client: str,
        *,
        audience: Texts | None = None,
        **options: Unpack[URLOptions],
    ) -> Self:
        """Return WorkOS AuthKit: access tokens of sessions.

        The keys are those of the one environment; ``aud`` is not there unless a JWT
        template of yours adds it.

        Args:
            client: The environment's client ID, ``client_...``.
            audience: What a template of yours puts into ``aud``.
            options: Fields of the issuer that are to differ.
        """
        # https://workos.com/docs/reference/authkit/session-tokens
        name = segment("client", client)
        return cls._made(
            options,
            # An environment writes one of the three.
            url=(f"{WORKOS}/user_management/{name}", WORKOS, f"{WORKOS}/"),
            keys=f"{WORKOS}/sso/jwks/{name}",
            audience=None if audience is None else texts("audience", audience),
            algorithms=("RS256",),
            require=("exp", "sub", "sid"),
            role_claims=("role", "roles", "permissions"),
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
        required: dict[str, Any] = {}
        roles = [f"urn:zitadel:iam:org:project:{name}:roles"]
        if clients is not None:
            required["azp"] = texts("clients", clients)
            roles.append("urn:zitadel:iam:org:project:roles")
        return cls._made(
            options,
            url=issuer,
            keys=f"{issuer}/oauth/v2/keys",
            audience=name,
            typ=(None, "JWT", "at+jwt"),
            require=("exp", "sub", "jti"),
            required=required,
            scope_claims=("scope",),
            role_claims=tuple(roles),
        )


def _hs256(name: str, secret: str | bytes) -> Key:
    try:
        return Key.from_secret(secret)
    except (InvalidKeyError, TypeError) as error:
        raise ConfigurationError(f"{name}: {error}") from None
