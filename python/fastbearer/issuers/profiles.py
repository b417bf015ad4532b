"""How the well-known identity providers write their tokens: one method each.

The rules of each are from the provider's own document, whose address stands in the
method. A field that is given wins over the method's; what is required is added to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastbearer import Key
from fastbearer.errors import ConfigurationError, InvalidKeyError
from fastbearer.issuers.addresses import base_url, origin_of, segment
from fastbearer.issuers.cloud_profiles import CloudProfiles
from fastbearer.issuers.options import texts
from fastbearer.issuers.server_profiles import ServerProfiles

if TYPE_CHECKING:
    from typing import Self, Unpack

    from fastbearer.issuers.profile import Options, Texts, URLOptions

__all__ = ["Profiles"]

OKTA_ISSUER = re.compile(r"(?P<org>https?://[^/]+)/oauth2/(?P<server>[^/]+)")
SUPABASE_PROJECT = re.compile("[a-z]{20}")
WORKOS = "https://api.workos.com"


class Profiles(CloudProfiles, ServerProfiles):
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
            domain: The Frontend API URL, or that of a proxy for it.
            authorized_parties: The origins of your frontends, which ``azp`` must be
                one of. Clerk recommends to name them.
            audience: What a template of your own puts into ``aud``.
            options: Fields of the issuer that are to differ.
        """
        # https://clerk.com/docs/guides/sessions/manual-jwt-verification
        # https://clerk.com/docs/guides/sessions/session-tokens
        issuer = base_url("domain", domain)
        required: dict[str, Any] = {"sts": (None, "active")}
        if authorized_parties is not None:
            required["azp"] = texts("authorized_parties", authorized_parties)
        return cls._made(
            options,
            url=issuer,
            keys=f"{issuer}/.well-known/jwks.json",
            audience=None if audience is None else texts("audience", audience),
            algorithms=("RS256",),
            typ="JWT",
            require=("exp", "sub"),
            required=required,
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

        The user is ``uid``, because ``sub`` is a name to sign in with; machines have
        no ``uid``, and are their ``sub``. ID tokens have no ``cid``.

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
            url: The project's URL or reference, or the URL of a server of your own.
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
        if isinstance(url, str) and SUPABASE_PROJECT.fullmatch(url):
            url = f"https://{url}.supabase.co"
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


def _hs256(name: str, secret: str | bytes) -> Key:
    try:
        return Key.from_secret(secret)
    except (InvalidKeyError, TypeError) as error:
        raise ConfigurationError(f"{name}: {error}") from None
